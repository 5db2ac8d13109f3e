import { createCanvas, type Canvas } from '@napi-rs/canvas';
import type { DrawnSample } from './drawn-sample.js';
import { fontFaces } from './fonts.js';
import { plainText } from './text.js';

/** An overview of samples: each image at `size` pixels with its first question and answer under it. */
export function contactSheet(samples: readonly DrawnSample[], { size = 256, columns = 6 } = {}): Canvas {
  const face = fontFaces().find((name) => name === 'roboto-400') ?? '';
  const caption = Math.max(26, size * 0.15);
  const gap = 6;
  const rows = Math.ceil(samples.length / columns);
  const sheet = createCanvas(columns * (size + gap) + gap, Math.max(1, rows) * (size + caption + gap) + gap);
  const context = sheet.getContext('2d');
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, sheet.width, sheet.height);
  context.fillStyle = '#000000';
  plainText(context);
  context.font = `${caption * 0.36}px "${face}"`;
  context.imageSmoothingQuality = 'high';
  samples.forEach(({ image, questions: [first] }, i) => {
    const x = gap + (i % columns) * (size + gap);
    const y = gap + Math.floor(i / columns) * (size + caption + gap);
    context.drawImage(image, x, y, size, size);
    if (!first) return;
    context.fillText(first.question, x, y + size + caption * 0.42, size);
    context.fillText(first.answer, x, y + size + caption * 0.85, size);
  });
  return sheet;
}
