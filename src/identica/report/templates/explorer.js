"use strict";
/* Components follow the hand: each explorer decodes by itself, from weights in the page or from frames. */
(() => {
  const erf = (x) => {
    /* Maclaurin series near 0, continued fraction of erfc further out: about 1e-12. */
    const a = Math.abs(x);
    if (a < 2.5) {
      let term = a, sum = a;
      for (let n = 1; n < 80; n++) { term *= (-a * a) / n; sum += term / (2 * n + 1); }
      return Math.sign(x) * 2 / Math.sqrt(Math.PI) * sum;
    }
    let fraction = 0;
    for (let n = 60; n > 0; n--) fraction = (n / 2) / (a + fraction);
    return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
  };
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  const POINTWISE = {
    softplus: (x) => (x > 20 ? x : Math.log1p(Math.exp(x))),
    silu: (x) => x * sigmoid(x),
    gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
    tanh: Math.tanh,
    elu: (x) => (x > 0 ? x : Math.expm1(x)),
    relu: (x) => Math.max(0, x),
    leaky_relu: (x) => (x > 0 ? x : 0.01 * x),
  };
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const floats = (text) => new Float32Array(bytes(text).buffer);
  const doubles = (text) => new Float64Array(bytes(text).buffer);

  const compile = (layer) => {
    if (layer.kind === "beside") {
      const body = layer.body.map(compile);
      return (x) => [...body.reduce((value, step) => step(value), x), ...x];
    }
    if (layer.kind !== "linear") return (x) => x.map(POINTWISE[layer.kind]);
    const weight = floats(layer.weight), bias = floats(layer.bias);
    return (x) => {
      const out = new Array(layer.n_out);
      for (let i = 0, k = 0; i < layer.n_out; i++) {
        let sum = bias[i];
        for (let j = 0; j < layer.n_in; j++) sum += weight[k++] * x[j];
        out[i] = sum;
      }
      return out;
    };
  };

  const element = (name, attributes = {}, text) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const shown = (value) => (Math.abs(value) < 0.005 ? 0 : value).toFixed(2);

  const explore = (root, number) => {
    const data = JSON.parse(root.querySelector("script").textContent);
    const n = data.components.length;
    const state = { anchor: 0, latents: [...data.anchors[0]], values: [] };
    const steps = data.layers ? data.layers.map(compile) : null;
    const [mean, scale] = data.mean ? [data.mean, data.scale].map(doubles) : [];
    const frames = data.frames && (data.frames.kind === "uint8" ? bytes : floats)(data.frames.data);

    const inUnits = (standardised) => standardised.map((value, i) => value * scale[i] + mean[i]);
    const decode = (moved) => {
      if (steps) return inUnits(steps.reduce((value, step) => step(value), state.latents));
      /* One component moves at a time: the nearest frame of its way, the others at the anchor. */
      const last = data.frames.n_steps - 1, [low, high] = data.ranges[moved];
      const share = (state.latents[moved] - low) / (high - low || 1);
      const step = Math.round(Math.min(1, Math.max(0, share)) * last);
      const size = frames.length / (data.anchors.length * n * (last + 1));
      const start = ((state.anchor * n + moved) * (last + 1) + step) * size;
      const part = [...frames.subarray(start, start + size)];
      return data.frames.kind === "uint8"
        ? part.map((grey) => data.low + (data.high - data.low) * grey / 255) : inUnits(part);
    };

    const controls = element("div", { class: "controls" });
    const view = element("div", { class: "view" });
    root.classList.add(data.shape ? "of-images" : "of-features");
    root.append(view, controls);

    const start = element("select", { id: `start-${number}` });
    data.anchor_names.forEach((name, i) => start.append(element("option", { value: i }, name)));
    const reset = element("button", { type: "button" }, "back to the start");
    const first = element("div", { class: "start" });
    first.append(element("label", { for: start.id }, "start at"), start, reset);
    controls.append(first);

    const sliders = data.components.map((name, j) => {
      const [low, high] = data.ranges[j];
      const id = `component-${number}-${j}`;
      const row = element("div", { class: "slider" });
      const slider = element("input", {
        type: "range", id, min: Math.min(low, data.anchors[0][j]), max: Math.max(high, data.anchors[0][j]), step: "any",
      });
      const output = element("output", { for: id });
      row.append(element("label", { for: id }, name), slider, output);
      controls.append(row);
      slider.addEventListener("input", () => {
        if (!steps) state.latents = [...data.anchors[state.anchor]];
        state.latents[j] = Number(slider.value);
        draw(j);
      });
      /* "any" leaves the arrow keys to the browser's taste: a fortieth of the way is ours. */
      slider.addEventListener("keydown", (event) => {
        const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
        if (way === undefined) return;
        event.preventDefault();
        slider.value = Number(slider.value) + way * (slider.max - slider.min) / 40;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
      });
      return { slider, output };
    });

    let paint;
    if (data.shape) {
      const [height, width, channels = 1] = data.shape;
      const drawing = (words) => {
        const canvas = element("canvas", { width, height, role: "img" }), figure = element("figure");
        const context = canvas.getContext("2d"), picture = context.createImageData(width, height);
        figure.append(canvas, element("figcaption", {}, words));
        view.append(figure);
        return (shares, label) => {
          for (let i = 0; i < width * height; i++) {
            for (let c = 0; c < 3; c++) {
              const share = shares[i * channels + (channels === 3 ? c : 0)];
              picture.data[4 * i + c] = 255 * Math.min(1, Math.max(0, share));
            }
            picture.data[4 * i + 3] = 255;
          }
          context.putImageData(picture, 0, 0);
          canvas.setAttribute("aria-label", label);
        };
      };
      const span = data.high - data.low || 1;
      const decoded = drawing("decoded"), originals = data.originals && bytes(data.originals);
      const original = originals && drawing("the sample");
      paint = (values) => {
        const name = data.anchor_names[state.anchor], anchor = data.anchors[state.anchor];
        const moves = data.components.map(
          (component, j) => (state.latents[j] === anchor[j] ? "" : `, ${component} at ${shown(state.latents[j])}`));
        decoded(values.map((value) => (value - data.low) / span), `decoded image of ${name}${moves.join("")}`);
        if (!original) return;
        const size = width * height * channels;
        const own = originals.subarray(state.anchor * size, (state.anchor + 1) * size);
        original([...own].map((grey) => grey / 255), `${name} itself`);
      };
    } else {
      const table = element("table", { class: "profile" });
      table.append(element("caption", {}, "features, in standard deviations from their mean"));
      const rows = data.features.map((name) => {
        const row = element("tr"), cell = element("td"), bar = element("span", { class: "bar" });
        const value = element("td", { class: "value" });
        cell.append(bar);
        row.append(element("th", { scope: "row", title: name }, name), cell, value);
        table.append(row);
        return { bar, value };
      });
      view.append(table);
      paint = (values) => rows.forEach(({ bar, value }, i) => {
        const deviation = (values[i] - mean[i]) / scale[i];
        const share = Math.min(1, Math.abs(deviation) / 3) * 50;
        bar.style.width = `${share}%`;
        bar.style.marginLeft = `${deviation < 0 ? 50 - share : 50}%`;
        bar.classList.toggle("down", deviation < 0);
        value.textContent = shown(deviation);
      });
    }

    const draw = (moved) => {
      sliders.forEach(({ slider, output }, j) => {
        if (j !== moved) slider.value = state.latents[j];
        output.textContent = shown(state.latents[j]);
        slider.setAttribute("aria-valuetext", shown(state.latents[j]));
      });
      state.values = decode(moved ?? 0);
      paint(state.values);
    };
    const restart = () => {
      state.anchor = Number(start.value);
      state.latents = [...data.anchors[state.anchor]];
      sliders.forEach(({ slider }, j) => {
        slider.min = Math.min(data.ranges[j][0], state.latents[j]);
        slider.max = Math.max(data.ranges[j][1], state.latents[j]);
      });
      draw();
    };
    start.addEventListener("change", restart);
    reset.addEventListener("click", restart);
    restart();
    return state;
  };

  window.identica = { explorers: [...document.querySelectorAll(".explorer")].map(explore) };
})();
