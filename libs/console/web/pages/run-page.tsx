import type { VNode } from 'preact';
import { useRoute } from 'preact-iso';
import type { SelectionReason } from '@mpa/alignment';
import type { RunView, SamplePage } from '../../src/api.js';
import { AccuracyPlot } from '../../src/components/accuracy-plot.js';
import { AccuracyTable } from '../../src/components/accuracy-table.js';
import { AnalysisSection } from '../../src/components/analysis-section.js';
import { duration } from '../../src/components/duration.js';
import { count } from '../../src/components/format.js';
import { Figures } from '../../src/components/figures.js';
import { markGroups } from '../../src/components/mark-groups.js';
import { Reasons } from '../../src/components/reasons.js';
import { SampleCard } from '../../src/components/sample-card.js';
import { TrainingCurves } from '../../src/components/training-curves.js';
import { runPage, runPath } from '../fetch-json.js';
import { Notice } from '../notice.js';
import { PageTitle } from '../page-title.js';
import { StageProgress } from '../stage-progress.js';
import { StatusMark } from '../status-mark.js';
import { useJson } from '../use-json.js';
import { useRun } from '../use-run.js';

/** Samples of each task in the gallery. */
const SHOWN = '3';
/** Milliseconds between two looks for samples of a run that goes on. */
const LOOK_EVERY = 5000;
/** Why a sample shows the gap. */
const GAP = 'student_differs' satisfies SelectionReason;

/** One run: its progress while it goes on, and what came of it. */
export function RunPage(): VNode {
  const name = useRoute().params['run']!;
  const asked = useRun(name);
  return (
    <>
      <PageTitle title={name}>{asked.value && <StatusMark status={asked.value.status} />}</PageTitle>
      {asked.value ? <Run run={asked.value} /> : <Notice asked={asked} waiting="Reading the records …" />}
    </>
  );
}

function Run({ run }: { readonly run: RunView }): VNode {
  const { name, status, counts, accuracy, speed, curve, analysis, levelling, stages, seconds, problems } = run;
  const samples = (filter: Readonly<Record<string, string>> = {}): string =>
    `${runPage(name)}/samples?${new URLSearchParams(filter)}`;
  const steps = stages.find((stage) => stage.name === 'train')?.done ?? 0;
  const figures = {
    images: counts.images,
    'annotated by the L-VLM': counts.annotated,
    'selected to learn from': counts.selected,
    'training steps': steps,
  };
  return (
    <>
      <p class="lead">
        {status === 'finished' && `${duration(seconds)} · `}
        <a href={samples()}>Samples</a>
      </p>
      {problems.length > 0 && (
        <ul class="problem" aria-label="What could not be read">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      <Figures values={figures} />
      {status !== 'finished' && <StageProgress stages={stages} running={status === 'running'} />}
      <h2>Accuracy</h2>
      {Object.keys(accuracy).length > 0 ? (
        <>
          <AccuracyPlot title="Per cent, with 95 % bootstrap intervals" groups={markGroups(accuracy)} />
          <AccuracyTable tasks={accuracy} speed={speed} />
        </>
      ) : (
        <p>Nothing has been measured{status === 'finished' ? '' : ' yet'}.</p>
      )}
      <h2>Training</h2>
      <TrainingCurves lines={curve} />
      <h2>What became of the images</h2>
      <div class="sides">
        <Reasons
          title="Skipped images"
          none="No image was skipped."
          counts={counts.skipped}
          href={(reason) => samples({ outcome: 'skipped', reason })}
        />
        <Reasons
          title="Selected samples"
          none="No sample was selected."
          counts={counts.selectedBy}
          href={(reason) => samples({ outcome: 'selected', reason })}
        />
        <Reasons
          title="Rejected annotations"
          none="No annotation was rejected."
          counts={counts.rejected}
          href={(reason) => samples({ outcome: 'rejected', reason })}
        />
      </div>
      {analysis.decided > 0 && <AnalysisSection analysis={analysis} levelling={levelling} />}
      <h2>Samples that show the gap</h2>
      <Gallery run={run} href={samples} />
      <h2>Configuration</h2>
      <details>
        <summary>config.json</summary>
        <pre class="scroll" tabIndex={0}>
          {JSON.stringify(run.config, null, 2)}
        </pre>
      </details>
    </>
  );
}

interface GalleryProps {
  readonly run: RunView;
  /** The page of samples under a filter. */
  readonly href: (filter: Readonly<Record<string, string>>) => string;
}

/** A few samples of each task. */
function Gallery({ run, href }: GalleryProps): VNode {
  const gap = run.counts.selectedBy[GAP] ?? 0;
  if (gap === 0) return <p>None.</p>;
  return (
    <>
      <ul class="gallery">
        {run.tasks.map((task) => (
          <TaskSamples key={task} run={run} task={task} href={href} />
        ))}
      </ul>
      <p>
        <a href={href({ reason: GAP })}>All {count(gap)} of them</a>
      </p>
    </>
  );
}

function TaskSamples({ run, task, href }: GalleryProps & { readonly task: string }): VNode {
  const filter = { reason: GAP, task };
  const path = `${runPath(run.name, 'samples')}?${new URLSearchParams({ ...filter, limit: SHOWN })}`;
  const asked = useJson<SamplePage>(path, run.status === 'running' ? LOOK_EVERY : undefined);
  return (
    <>
      {asked.value?.rows.map((sample) => (
        <li key={sample.id}>
          <SampleCard sample={sample} image={runPath(run.name, 'samples', sample.id, 'large')} imageName="" />
          <a href={href({ ...filter, sample: sample.id })} aria-label={`Open: ${sample.question}`}>
            Open
          </a>
        </li>
      ))}
    </>
  );
}
