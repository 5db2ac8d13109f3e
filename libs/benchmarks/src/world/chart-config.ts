import type { SKRSContext2D } from '@napi-rs/canvas';
import type { ChartConfiguration, ChartOptions, Plugin } from 'chart.js';
import { brightness } from './colours.js';
import type { ChartData } from './chart-data.js';
import type { Random } from './random.js';
import { IMAGE_SIZE } from './drawn-sample.js';
import { plainFaces } from './fonts.js';
import { capHeight, textWidth } from './text.js';

/** How a chart is to look. */
export interface ChartLook {
  face: string;
  ink: string;
  /** Height of its capitals in image pixels. */
  capitals: number;
}

/** Heights of capitals on charts, in image pixels. */
const CAPITALS = { least: 19, most: 21 };

/** A face and size in which the chart's labels fit beside one another. */
export function chartLook(data: ChartData, random: Random): ChartLook {
  const capitals = random.int(CAPITALS.least, CAPITALS.most);
  const fits = (face: string): boolean => labelsFit(data, face, capitals);
  const face = random.sample(plainFaces()).find(fits) ?? 'barlow-condensed-700';
  return { face, capitals, ink: random.pick(['#111111', '#333333', '#1d2a44']) };
}

function labelsFit({ kind, labels, values, printed }: ChartData, face: string, capitals: number): boolean {
  const widths = labels.map((label) => textWidth(face, label, capitals));
  const widestValue = Math.max(...values.map((value) => textWidth(face, String(value), capitals)));
  const widest = Math.max(...widths);
  switch (kind) {
    case 'horizontalBar':
      return widest < 72;
    case 'pie':
    case 'doughnut':
      return widest < 150;
    default: {
      const room =
        (IMAGE_SIZE - 20 - (printed ? 0 : widestValue) - (kind === 'line' ? widestValue * 0.6 : 0)) / labels.length;
      return Math.max(widest, widestValue) < room - 8;
    }
  }
}

/** The chart.js configuration that shows `data` in that look. */
export function chartConfiguration(data: ChartData, look: ChartLook, random: Random): ChartConfiguration {
  const size = look.capitals / capHeight(look.face);
  const font = { family: `"${look.face}"`, size, lineHeight: 1.05 };
  const colours = data.colours.map(({ hex }) => hex);
  const line = data.kind === 'line';
  const type = data.kind === 'horizontalBar' ? 'bar' : data.kind;
  const round = type === 'pie' || type === 'doughnut';
  const dataset = {
    data: data.values,
    backgroundColor: colours.length === 1 ? colours[0] : colours,
    borderColor: line ? colours[0] : round ? '#ffffff' : look.ink,
    borderWidth: line ? random.int(3, 5) : round ? 2 : random.pick([0, 0, 1.5]),
    ...(type === 'bar' ? { borderRadius: random.pick([0, 0, 4, 8]), barPercentage: random.real(0.6, 0.95) } : {}),
    ...(line
      ? {
          pointRadius: random.int(4, 6),
          tension: random.pick([0, 0, 0.3]),
        }
      : {}),
    ...(type === 'doughnut' ? { cutout: '38%' } : {}),
  };
  return {
    type,
    data: { labels: data.labels, datasets: [dataset] },
    options: options(data, look, font, random),
    plugins: data.printed ? [valueLabels(data, look, font)] : [],
  };
}

interface ChartFont {
  family: string;
  size: number;
  lineHeight: number;
}

function options(data: ChartData, look: ChartLook, font: ChartFont, random: Random): ChartOptions {
  const round = data.kind === 'pie' || data.kind === 'doughnut';
  const sideways = data.kind === 'horizontalBar';
  const widest = Math.max(...data.values.map((value) => String(value).length)) * font.size * 0.62;
  const padding = { top: 8, left: 8, right: 10, bottom: 6 };
  if (data.printed && !round) {
    if (sideways) padding.right = widest + 10;
    else padding.top = font.size + 6;
  }
  if (data.kind === 'line') padding.left = padding.right = widest / 2;
  return {
    responsive: false,
    animation: false,
    devicePixelRatio: 1,
    events: [],
    indexAxis: sideways ? 'y' : 'x',
    layout: { padding },
    plugins: {
      title: {
        display: data.title !== undefined,
        text: data.title ?? '',
        font,
        color: look.ink,
        padding: { top: 0, bottom: data.printed && !round && !sideways ? font.size + 4 : 6 },
      },
      legend: {
        display: round,
        position: random.pick(legendPlaces(data, look)),
        labels: { font, color: look.ink, boxWidth: 18, boxHeight: 18, padding: 7 },
      },
    },
    ...(round ? {} : { scales: scales(data, look, font, random) }),
  } as ChartOptions;
}

function scales(data: ChartData, look: ChartLook, font: ChartFont, random: Random): ChartOptions['scales'] {
  const category = {
    ticks: { font, color: look.ink, maxRotation: 0, autoSkip: false, padding: 2 },
    grid: { display: false },
    border: { display: true, color: look.ink },
    ...(data.kind === 'line' ? { offset: true } : {}),
  };
  const lines = random.chance(0.5) || !data.printed;
  const highest = Math.max(...data.values);
  const value = {
    min: 0,
    ...(data.printed
      ? {}
      : {
          max: topOf(highest),
          ticks: { font, color: look.ink, stepSize: topOf(highest) / 4, padding: 2, callback: String },
        }),
    ...(data.printed ? { ticks: { display: false, maxTicksLimit: 6 } } : {}),
    grid: { display: lines, color: 'rgba(110,110,110,0.4)', drawTicks: false },
    border: { display: lines },
  };
  return data.kind === 'horizontalBar' ? { x: value, y: category } : { x: category, y: value };
}

function legendPlaces({ labels }: ChartData, look: ChartLook): readonly string[] {
  const widest = Math.max(...labels.map((label) => textWidth(look.face, label, look.capitals)));
  return widest < 62 ? ['right', 'left', 'top', 'bottom'] : ['top', 'bottom'];
}

function topOf(highest: number): number {
  return [100, 200, 1000].find((top) => highest <= top) ?? highest;
}

/** Writes each value at its mark: above or beside a bar, above a point, on a slice. */
function valueLabels(data: ChartData, look: ChartLook, font: ChartFont): Plugin {
  const round = data.kind === 'pie' || data.kind === 'doughnut';
  return {
    id: 'valueLabels',
    afterDatasetsDraw(chart) {
      const ctx = chart.ctx as SKRSContext2D;
      const sideways = data.kind === 'horizontalBar';
      ctx.save();
      ctx.font = `${font.size}px ${font.family}`;
      ctx.textAlign = sideways ? 'left' : 'center';
      ctx.textBaseline = sideways || round ? 'middle' : 'bottom';
      chart.getDatasetMeta(0).data.forEach((element, i) => {
        const { x, y } = element.tooltipPosition(true) as { x: number; y: number };
        const ground = data.colours[i]?.hex ?? '#ffffff';
        ctx.fillStyle = round ? (brightness(ground) > 0.55 ? '#111111' : '#ffffff') : look.ink;
        const [dx, dy] = sideways ? [5, 1] : round ? [0, 1] : [0, data.kind === 'line' ? -7 : -1];
        ctx.fillText(String(data.values[i]), x + dx, y + dy);
      });
      ctx.restore();
    },
  };
}
