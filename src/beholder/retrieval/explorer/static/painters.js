/** Two ways to draw very many points: with the graphics card, or pixel by pixel without one. */

const VERTEX = `#version 300 es
in vec2 place;
in vec4 colour;
uniform vec2 centre;
uniform vec2 zoom;
uniform float size;
out vec4 shade;
void main() {
  gl_Position = vec4((place - centre) * zoom, 0.0, 1.0);
  gl_PointSize = size;
  shade = colour;
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec4 shade;
uniform float size;
out vec4 painted;
void main() {
  float away = length(gl_PointCoord - 0.5) * size;
  float cover = clamp(size * 0.5 - away + 0.5, 0.0, 1.0) * shade.a;
  painted = vec4(shade.rgb * cover, cover);
}`;

const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;

/** Return a painter for a new canvas: `canvas`, `load(places, rgba, last)`, `paint(view)`. */
export function painter() {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2", { antialias: false });
  const program = gl && !isSoftware(gl) && linked(gl);
  if (program) return new CardPainter(canvas, gl, program);
  return new PixelPainter(document.createElement("canvas"));
}

/** Tell whether software plays the card, which takes longer than to draw pixel by pixel. */
function isSoftware(gl) {
  const named = gl.getExtension("WEBGL_debug_renderer_info");
  return named !== null && SOFTWARE.test(gl.getParameter(named.UNMASKED_RENDERER_WEBGL));
}

function linked(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}

class CardPainter {
  constructor(canvas, gl, program) {
    Object.assign(this, { canvas, gl, program });
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.buffers = ["place", "colour"].map((name) => [gl.getAttribLocation(this.program, name), gl.createBuffer()]);
    this.order = gl.createBuffer();
  }

  load(places, rgba, last) {
    const { gl } = this;
    const [[place, places_], [colour, colours_]] = this.buffers;
    gl.bindBuffer(gl.ARRAY_BUFFER, places_);
    gl.bufferData(gl.ARRAY_BUFFER, places, gl.STATIC_DRAW);
    gl.vertexAttribPointer(place, 2, gl.FLOAT, false, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, colours_);
    gl.bufferData(gl.ARRAY_BUFFER, rgba, gl.STATIC_DRAW);
    gl.vertexAttribPointer(colour, 4, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.enableVertexAttribArray(place);
    gl.enableVertexAttribArray(colour);
    this.drawn = inOrder(rgba.length / 4, last);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, this.drawn, gl.STATIC_DRAW);
  }

  paint({ width, height, ratio, x, y, scale, radius }) {
    const { gl, program } = this;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.uniform2f(gl.getUniformLocation(program, "centre"), x, y);
    gl.uniform2f(gl.getUniformLocation(program, "zoom"), (2 * scale) / width, (-2 * scale) / height);
    gl.uniform1f(gl.getUniformLocation(program, "size"), 2 * radius * ratio + 1);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.drawElements(gl.POINTS, this.drawn.length, gl.UNSIGNED_INT, 0);
  }
}

class PixelPainter {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  load(places, rgba, last) {
    this.places = places;
    this.colours = new Uint32Array(rgba.buffer);
    this.drawn = inOrder(rgba.length / 4, last);
  }

  paint({ width, height, ratio, x, y, scale, radius }) {
    const { width: wide, height: high } = this.canvas;
    if (wide === 0 || high === 0) return;
    const image = this.context.createImageData(wide, high);
    const pixels = new Uint32Array(image.data.buffer);
    const disc = discOf(Math.max(1, Math.round(radius * ratio)));
    const zoom = scale * ratio;
    const [left, top] = [(width * ratio) / 2 - x * zoom, (height * ratio) / 2 - y * zoom];
    for (const row of this.drawn) {
      const px = Math.round(this.places[2 * row] * zoom + left);
      const py = Math.round(this.places[2 * row + 1] * zoom + top);
      if (px < 0 || py < 0 || px >= wide || py >= high) continue;
      for (const [dx, dy] of disc) {
        const [cx, cy] = [px + dx, py + dy];
        if (cx >= 0 && cy >= 0 && cx < wide && cy < high) pixels[cy * wide + cx] = this.colours[row];
      }
    }
    this.context.putImageData(image, 0, 0);
  }
}

function inOrder(count, last) {
  const onTop = new Set(last);
  const order = new Uint32Array(count);
  let filled = 0;
  for (let row = 0; row < count; row += 1) {
    if (!onTop.has(row)) order[filled++] = row;
  }
  order.set(last, filled);
  return order;
}

function discOf(radius) {
  const disc = [];
  for (let y = -radius; y <= radius; y += 1) {
    for (let x = -radius; x <= radius; x += 1) {
      if (x * x + y * y <= radius * radius + 0.5) disc.push([x, y]);
    }
  }
  return disc;
}
