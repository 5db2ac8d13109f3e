import { DecisionStatus, taskName, type Decision } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import { localPath } from '@mpa/storage';
import type { Streams } from '@mpa/streams';
import sharp from 'sharp';
import { html, type Html } from './html.js';

/** Samples shown, over all tasks. */
const SHOWN = 24;
/** Side of a thumbnail in pixels. */
const SIDE = 224;

/** Selected samples, as many of each task where there are enough: image, question, both models' answers. */
export async function gallery(streams: Streams): Promise<Html[]> {
  const taken = new Map<string, Decision[]>();
  for await (const record of streams.readAll(topics.decisions.name)) {
    const decision = topics.decisions.decode(record);
    if (decision.status !== DecisionStatus.SELECTED) continue;
    const task = taskName(decision.task);
    const mine = taken.get(task) ?? [];
    if (mine.length < SHOWN) taken.set(task, [...mine, decision]);
  }
  const share = Math.ceil(SHOWN / Math.max(1, taken.size));
  const shown = [...taken].flatMap(([task, decisions]) => decisions.slice(0, share).map((each) => card(task, each)));
  return Promise.all(shown);
}

async function card(task: string, decision: Decision): Promise<Html> {
  const { question, answer, studentAnswer, image } = decision;
  return html`<li>
    ${await thumbnail(image?.uri ?? '', image?.path ?? '')}
    <p class="task">${task}</p>
    <p class="question">${question}</p>
    <dl>
      <dt>L-VLM</dt>
      <dd class="right">${answer}</dd>
      <dt>S-VLM</dt>
      <dd class="wrong">${studentAnswer || '(nothing)'}</dd>
    </dl>
  </li>`;
}

async function thumbnail(uri: string, name: string): Promise<Html> {
  try {
    const small = await sharp(localPath(uri), { limitInputPixels: 1e8 })
      .autoOrient()
      .resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: '#fff' })
      .jpeg({ quality: 72 })
      .toBuffer();
    return html`<img src="data:image/jpeg;base64,${small.toString('base64')}" alt="${name}" loading="lazy" />`;
  } catch {
    // The image went away after it was annotated; the sample is still worth showing.
    return html`<p class="gone">${name} is no longer readable</p>`;
  }
}
