/** The screen as it is now, and what happens to it and to the page. */

const SETTLED_MS = 150;

/** Measure the screen; `picture` is the canvas on which the image is drawn, if it is. */
export function measure(picture = null) {
  return {
    viewport_width: innerWidth,
    viewport_height: innerHeight,
    device_pixel_ratio: devicePixelRatio,
    zoom: pinch(),
    screen_width: screen.width,
    screen_height: screen.height,
    angle: angle(),
    image_box: picture?.isConnected ? boxOf(picture) : null,
  };
}

/** Return how far the fingers have zoomed in; the browser's own zoom is in devicePixelRatio. */
export function pinch() {
  return window.visualViewport?.scale ?? 1;
}

function angle() {
  const degrees = screen.orientation?.angle ?? window.orientation ?? 0;
  return ((degrees % 360) + 360) % 360;
}

function boxOf(picture) {
  const { left, top, width, height } = picture.getBoundingClientRect();
  return width > 0 ? { left, top, width, height } : null;
}

/** Tell `note(kind, environment | null)` of all that a record's events name. Returns the end. */
export function watchEnvironment(note, picture = null) {
  const ending = new AbortController();
  const listen = (target, kind, listener) =>
    target?.addEventListener(kind, listener, { signal: ending.signal });
  listen(document, "visibilitychange", () => note(document.hidden ? "hidden" : "visible", null));
  for (const kind of ["blur", "focus", "offline", "online"]) {
    listen(window, kind, () => note(kind, null));
  }

  let before = measure(picture);
  let timer = null;
  const settled = () => {
    const now = measure(picture);
    const kind = whatChanged(before, now);
    before = now;
    if (kind !== null) note(kind, now);
  };
  const settle = () => {
    clearTimeout(timer);
    timer = setTimeout(settled, SETTLED_MS);
  };
  listen(window, "resize", settle);
  listen(window.visualViewport, "resize", settle);
  listen(screen.orientation, "change", settle);
  ending.signal.addEventListener("abort", () => clearTimeout(timer));
  return () => ending.abort();
}

function whatChanged(before, now) {
  if (before.angle !== now.angle) return "rotate";
  if (before.zoom !== now.zoom || before.device_pixel_ratio !== now.device_pixel_ratio) {
    return "zoom";
  }
  const isSame =
    before.viewport_width === now.viewport_width && before.viewport_height === now.viewport_height;
  return isSame ? null : "resize";
}

/** Name the browser's engine, and no more than that. */
export function userAgentFamily(userAgent = navigator.userAgent) {
  if (/Firefox\//.test(userAgent)) return "firefox";
  if (/Chrome\/|Chromium\//.test(userAgent)) return "chromium";
  return /AppleWebKit\//.test(userAgent) ? "webkit" : "other";
}

/** Tell which inputs this device has; a keyboard is seen by a key, or supposed beside a mouse. */
export function inputsHere(hasSeenKey) {
  const hasMouse = matchMedia("(any-pointer: fine)").matches;
  const hasTouch = navigator.maxTouchPoints > 0 || matchMedia("(any-pointer: coarse)").matches;
  const inputs = { mouse: hasMouse, touch: hasTouch, keyboard: hasMouse || hasSeenKey };
  return Object.keys(inputs).filter((input) => inputs[input]);
}
