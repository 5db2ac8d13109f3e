import type { VNode } from 'preact';
import type { Stage } from '../src/api.js';
import { duration } from '../src/components/duration.js';
import { count } from '../src/components/format.js';

interface StageProgressProps {
  readonly stages: readonly Stage[];
  /** Whether a process works on them. */
  readonly running: boolean;
}

/** How far each part of a run is, how fast it goes, and how long it will take. */
export function StageProgress({ stages, running }: StageProgressProps): VNode {
  const active = stages
    .filter(({ perSecond, secondsLeft }) => perSecond !== null && secondsLeft !== 0)
    .map(({ name }) => name);
  return (
    <section aria-labelledby="progress">
      <h2 id="progress">Progress</h2>
      <p role="status">{said(running, active)}</p>
      <ul class="stages">
        {stages.map((stage) => (
          <li key={stage.name}>
            <label for={`stage ${stage.name}`}>{stage.name}</label>
            {/* Without a value it shows that the end is not known. */}
            <progress
              id={`stage ${stage.name}`}
              max={stage.of || 1}
              value={stage.of === null && stage.done > 0 ? undefined : stage.done}
            />
            <span>{words(stage)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function said(running: boolean, active: readonly string[]): string {
  if (!running) return 'No process works on this run. The command that started it goes on with it.';
  return active.length > 0 ? `At work: ${active.join(', ')}` : 'At work.';
}

function words({ done, of, perSecond, secondsLeft }: Stage): string {
  const rate = perSecond === null || secondsLeft === 0 ? [] : [`${perSecond.toPrecision(2)} / s`];
  const left = secondsLeft === null || secondsLeft === 0 ? [] : [`${duration(secondsLeft)} left`];
  return [of === null ? count(done) : `${count(done)} of ${count(of)}`, ...rate, ...left].join(', ');
}
