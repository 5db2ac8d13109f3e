import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { ArcElement, BarController, BarElement, CategoryScale, Chart, DoughnutController, Legend, LinearScale, LineController, LineElement, PieController, PointElement, Title } from 'chart.js'; // prettier-ignore
import { chartConfiguration, chartLook, type ChartLook } from './chart-config.js';
import { drawColours } from './colours.js';
import { chartQuestions } from './chart-questions.js';
import { IMAGE_SIZE, type DrawnScene } from './drawn-sample.js';
import { drawChartData, type ChartData } from './chart-data.js';
import type { Random } from './random.js';
import type { Split } from './split.js';
import { Stage } from './stage.js';
import { characterBoxes, plainText } from './text.js';

Chart.register(ArcElement, BarController, BarElement, CategoryScale, DoughnutController, Legend, LinearScale, LineController, LineElement, PieController, PointElement, Title); // prettier-ignore

const CHART_COLOURS = ['red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown', 'black', 'gray'];
const GROUNDS = ['#ffffff', '#ffffff', '#fbfaf5', '#f1f4f8', '#fff8ec', '#eef3ee'];

/** A small chart with printed values, as ChartQA asks about. */
export function drawChartqa(random: Random, split: Split): DrawnScene {
  const stage = new Stage();
  const data = drawChartData(random, split, (count) => drawColours(random, count, CHART_COLOURS));
  const ground = random.pick(GROUNDS);
  stage.context.fillStyle = ground;
  stage.context.fillRect(0, 0, IMAGE_SIZE, IMAGE_SIZE);
  renderChart(stage, data, chartLook(data, random), random);
  const pixels = stage.photograph(random, 0.18);
  const { texts, glyphs } = stage.readable();
  const marks = data.labels.map((label, i) => `${label} ${data.values[i]}`);
  return {
    pixels,
    questions: chartQuestions(random, data),
    texts,
    transcription: [...(data.title ? [data.title] : []), ...marks].join(', ').toLowerCase(),
    glyphs,
    objects: [],
  };
}

function renderChart(stage: Stage, data: ChartData, look: ChartLook, random: Random): void {
  const layer = createCanvas(IMAGE_SIZE, IMAGE_SIZE);
  const context = layer.getContext('2d');
  plainText(context);
  noteTexts(context, stage);
  const chart = new Chart(context, chartConfiguration(data, look, random));
  stage.context.drawImage(layer, 0, 0);
  chart.destroy();
}

/** Tells the stage of each text that is written in a context which is moved, but not turned or scaled. */
function noteTexts(context: SKRSContext2D, stage: Stage): void {
  const fillText = context.fillText.bind(context);
  context.fillText = (text: string, x: number, y: number): void => {
    fillText(text, x, y);
    const { e, f } = context.getTransform();
    const drawn = characterBoxes(context, text, x, y);
    for (const { box } of drawn.characters) {
      box.x += e;
      box.y += f;
    }
    stage.note(drawn);
  };
}
