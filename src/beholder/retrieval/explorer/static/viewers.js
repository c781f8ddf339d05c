/** The pages of images and people: draws what the server wrote into them. */

import { profile } from "./charts.js";
import { overlay } from "./gaze_picture.js";
import { fold } from "./folding.js";

for (const frame of document.querySelectorAll("[data-gaze]")) {
  overlay(frame, frame.dataset.name, JSON.parse(frame.dataset.gaze));
}
for (const list of document.querySelectorAll("[data-traits]")) {
  list.replaceWith(profile(JSON.parse(list.dataset.traits)));
}
for (const words of document.querySelectorAll("blockquote.words")) fold(words);
