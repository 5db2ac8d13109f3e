import { createRequire } from 'node:module';
import { createCanvas, GlobalFonts } from '@napi-rs/canvas';
import { CategoryScale, Chart, Legend, LinearScale, LineElement, LogarithmicScale, PointElement } from 'chart.js';
import type { ChartConfiguration, Scale } from 'chart.js';
import { BarWithErrorBar, BarWithErrorBarsController, PointWithErrorBar, ScatterWithErrorBarsController } from 'chartjs-chart-error-bars'; // prettier-ignore

Chart.register(CategoryScale, LinearScale, LogarithmicScale, LineElement, PointElement, Legend);
Chart.register(BarWithErrorBarsController, BarWithErrorBar, ScatterWithErrorBarsController, PointWithErrorBar);
const FONT = createRequire(import.meta.url).resolve('@fontsource/inter/files/inter-latin-400-normal.woff2');
GlobalFonts.registerFromPath(FONT, 'Inter');
Chart.defaults.font.family = 'Inter';
Chart.defaults.font.size = 13;
Chart.defaults.color = '#333';

/** A mean and half the width of its interval. */
export interface Estimate {
  readonly mean: number;
  readonly half: number;
}

const AXIS = 'change of the mean accuracy, points';
const COLOURS = ['#3b6fb5', '#c2603a'] as const;

/** PNG of one horizontal bar for each name, with its interval. */
export function barPlot(bars: readonly (readonly [name: string, value: Estimate])[]): Buffer {
  return png(900, 40 + 34 * bars.length, {
    type: 'barWithErrorBars',
    data: {
      labels: bars.map(([name]) => name),
      datasets: [
        {
          data: bars.map(([, { mean, half }]) => ({ x: mean, xMin: mean - half, xMax: mean + half })) as never,
          backgroundColor: COLOURS[0],
          barPercentage: 0.7,
        },
      ],
    },
    options: {
      indexAxis: 'y',
      plugins: { legend: { display: false } },
      scales: { x: { title: { display: true, text: AXIS } } },
    },
  });
}

/** PNG of curves with intervals; x is a positive number. */
export function curvePlot(
  xLabel: string,
  curves: Readonly<Record<string, readonly (readonly [x: number, value: Estimate])[]>>,
  scale: 'linear' | 'logarithmic',
): Buffer {
  const xs = Object.values(curves).flatMap((points) => points.map(([x]) => x));
  return png(900, 420, {
    type: 'scatterWithErrorBars',
    data: {
      datasets: Object.entries(curves).map(([label, points], i) => ({
        label,
        data: points.map(([x, { mean, half }]) => ({ x, y: mean, yMin: mean - half, yMax: mean + half })),
        borderColor: COLOURS[i]!,
        backgroundColor: COLOURS[i]!,
        showLine: true,
        pointRadius: 4,
      })),
    },
    options: {
      plugins: { legend: { display: Object.keys(curves).length > 1 } },
      scales: {
        x: {
          type: scale,
          title: { display: true, text: xLabel },
          afterBuildTicks: (axis: Scale) => void (axis.ticks = [...new Set(xs)].map((value) => ({ value }))),
        },
        y: { title: { display: true, text: AXIS } },
      },
    },
  });
}

function png(width: number, height: number, configuration: object): Buffer {
  const canvas = createCanvas(width, height);
  const context = canvas.getContext('2d');
  context.fillStyle = '#ffffff';
  context.fillRect(0, 0, width, height);
  const settings = configuration as ChartConfiguration;
  const options = { ...settings.options, responsive: false, animation: false, devicePixelRatio: 1 } as const;
  const chart = new Chart(canvas, { ...settings, options });
  const image = canvas.toBuffer('image/png');
  chart.destroy();
  return image;
}
