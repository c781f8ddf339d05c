/** The images of this trial and the next, loaded once. */

export class Pictures {
  constructor(api) {
    this.api = api; // images need the session too, also where cookies are withheld
    this.loading = new Map();
  }

  /** Resolve to the decoded image; rejects as the request does, and may then be asked again. */
  get(address) {
    if (!this.loading.has(address)) {
      const picture = this.#load(address);
      picture.catch(() => this.loading.delete(address));
      this.loading.set(address, picture);
    }
    return this.loading.get(address);
  }

  /** Forget all others: they are large. */
  keepOnly(addresses) {
    for (const address of this.loading.keys()) {
      if (!addresses.includes(address)) this.loading.delete(address);
    }
  }

  async #load(address) {
    const source = URL.createObjectURL(await this.api.getBlob(address));
    try {
      const picture = new Image();
      picture.src = source;
      await picture.decode();
      return picture;
    } finally {
      URL.revokeObjectURL(source);
    }
  }
}
