/** The sliders of a survey. */

export class Survey {
  /** `onchange` is told the answers, or null when no survey is asked with. */
  constructor(root, onchange) {
    this.toggle = root.querySelector("#with-survey");
    this.room = root.querySelector("#survey");
    this.sliders = [...this.room.querySelectorAll("input")];
    this.toggle.addEventListener("change", () => {
      this.room.hidden = !this.toggle.checked;
      onchange(this.answers(), false);
    });
    for (const slider of this.sliders) {
      slider.addEventListener("input", () => {
        tell(slider);
        onchange(this.answers(), true);
      });
    }
  }

  answers() {
    return this.toggle.checked ? this.sliders.map((slider) => Number(slider.value)) : null;
  }

  /** Show answers; those of another instrument are not shown. Returns what is shown. */
  show(answers) {
    const fits = answers !== null && answers.length === this.sliders.length;
    this.toggle.checked = fits;
    this.room.hidden = !fits;
    this.sliders.forEach((slider, place) => {
      if (fits) slider.value = String(answers[place]);
      tell(slider);
    });
    return this.answers();
  }
}

function tell(slider) {
  slider.nextElementSibling.textContent = slider.value;
}
