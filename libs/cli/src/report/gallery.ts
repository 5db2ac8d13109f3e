import { taskName, type Decision } from '@mpa/contracts';
import { topics } from '@mpa/service-kit';
import type { Streams } from '@mpa/streams';
import { showsGap } from '../analysis/analyze-decisions.js';
import { html, type Html } from './html.js';
import { thumbnail } from './thumbnail.js';

/** Samples shown, over all tasks. */
const SHOWN = 24;

/** Samples that show the gap, as many of each task where there are enough: image, question, both models' answers. */
export async function gallery(streams: Streams): Promise<Html[]> {
  const taken = new Map<string, Decision[]>();
  for await (const record of streams.readAll(topics.decisions.name)) {
    const decision = topics.decisions.decode(record);
    if (!showsGap(decision)) continue;
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
