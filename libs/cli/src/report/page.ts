import type { Summary } from '../pipeline/summary.js';
import { meanAccuracy } from '../pipeline/table.js';
import type { CurvePoint } from '../pipeline/train-student.js';
import { duration } from '../progress/duration.js';
import { html, type Html } from './html.js';
import { lossCurve } from './loss-curve.js';
import { styles } from './styles.js';

/** The report as one HTML document that refers to nothing outside of it. */
export function page(
  summary: Summary,
  curve: readonly CurvePoint[],
  { samples, analysis }: { readonly samples: readonly Html[]; readonly analysis: Html },
): string {
  const { run, images, annotated, selected, train, skipped, rejected } = summary;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Levelling report</title>
        <style>
          ${styles}
        </style>
      </head>
      <body>
        <header>
          <h1>Levelling report</h1>
          <p class="lead">${run}, ${duration(summary.seconds)}</p>
        </header>
        <main>
          <ul class="figures">
            ${figure(images, 'images')}${figure(annotated, 'annotated by the L-VLM')}
            ${figure(selected, 'selected to learn from')}${figure(train.steps, 'training steps')}
          </ul>
          ${accuracy(summary)}
          <h2>Training loss</h2>
          <figure style="margin: 0">
            ${lossCurve(curve)}
            <figcaption class="lead">Nats per answer token: each step, and the running mean.</figcaption>
          </figure>
          <h2>What became of the images</h2>
          <div class="sides">
            ${reasons('Skipped images', 'Every image was annotated.', skipped)}
            ${reasons('Rejected annotations', 'Every annotation was selected.', rejected)}
          </div>
          ${analysis}
          <h2>Samples that show the gap</h2>
          ${
            samples.length > 0
              ? html`<ul class="gallery">
                  ${samples}
                </ul>`
              : html`<p>None.</p>`
          }
        </main>
      </body>
    </html> `.text;
}

function figure(value: number, label: string): Html {
  return html`<li><strong>${value.toLocaleString('en')}</strong>${label}</li>`;
}

function accuracy(summary: Summary): Html {
  const tasks = Object.entries(summary.eval);
  if (tasks.length === 0)
    return html`<h2>Accuracy</h2>
      <p>No labelled questions were given.</p>`;
  const { speed } = summary;
  const mean = meanAccuracy(summary);
  const rate = (value: number | null): string => (value === null ? 'not measured' : value.toFixed(1));
  return html`<h2>Accuracy</h2>
    <div class="scroll">
      <table>
        <caption>
          Per cent by each benchmark's own metric: the S-VLM before and after, the L-VLM, on n labelled questions that
          the levelling never saw.
        </caption>
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
            <th scope="col">Change</th>
            <th scope="col">L-VLM</th>
            <th scope="col">n</th>
          </tr>
        </thead>
        <tbody>
          ${tasks.map(
            ([task, { before, after, teacher, n }]) =>
              html`<tr>
                <th scope="row">${task}</th>
                <td>${percent(before)}</td>
                <td>${percent(after)}</td>
                ${change(after - before)}
                <td>${percent(teacher)}</td>
                <td>${n}</td>
              </tr>`,
          )}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Mean</th>
            <td>${percent(mean.before)}</td>
            <td>${percent(mean.after)}</td>
            ${change(mean.after - mean.before)}
            <td>${percent(mean.teacher)}</td>
            <td></td>
          </tr>
          <tr>
            <th scope="row">Answers / s</th>
            <td>${rate(speed.before)}</td>
            <td>${rate(speed.after)}</td>
            <td></td>
            <td>${rate(speed.teacher)}</td>
            <td></td>
          </tr>
        </tfoot>
      </table>
    </div>`;
}

function percent(value: number): string {
  return (value * 100).toFixed(1);
}

function change(value: number): Html {
  const points = (value * 100).toFixed(1);
  return html`<td class="${value < 0 ? 'down' : 'up'}">${value < 0 ? points.replace('-', '−') : `+${points}`}</td>`;
}

function reasons(title: string, none: string, counts: Readonly<Record<string, number>>): Html {
  const all = Object.entries(counts);
  if (all.length === 0) return html`<p>${none}</p>`;
  return html`<table>
    <thead>
      <tr>
        <th scope="col">${title}</th>
        <th scope="col">Number</th>
      </tr>
    </thead>
    <tbody>
      ${all.map(
        ([reason, n]) =>
          html`<tr>
            <th scope="row">${reason}</th>
            <td>${n}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
