import type { VNode } from 'preact';
import { renderToStaticMarkup } from 'preact-render-to-string';
import { AccuracyPlot } from '../components/accuracy-plot.js';
import { AccuracyTable } from '../components/accuracy-table.js';
import { AnalysisSection } from '../components/analysis-section.js';
import { duration } from '../components/duration.js';
import type { TaskAccuracy } from '../components/estimate.js';
import { Figures } from '../components/figures.js';
import { markGroups } from '../components/mark-groups.js';
import { Reasons } from '../components/reasons.js';
import { SampleCard } from '../components/sample-card.js';
import { TeacherTable } from '../components/teacher-table.js';
import { TrainingCurves } from '../components/training-curves.js';
import type { Analysis } from '../analysis/analysis.js';
import type { Levelling } from '../analysis/levelling.js';
import type { Summary } from '../run/summary.js';
import { curveLines, type CurvePoint } from '../run/training-curve.js';
import type { GallerySample } from './gallery.js';
import { Looks, type Look } from './looks.js';

/** What a report shows beside the summary of the run. */
export interface ReportContent {
  readonly accuracy: Readonly<Record<string, TaskAccuracy>>;
  readonly curve: readonly CurvePoint[];
  readonly analysis: Analysis;
  readonly levelling?: Levelling | undefined;
  readonly looks: readonly Look[];
  readonly samples: readonly GallerySample[];
  /** The style sheet. */
  readonly styles: string;
}

/** The report as one HTML document that refers to nothing outside of it. */
export function page(summary: Summary, content: ReportContent): string {
  return `<!doctype html>\n${renderToStaticMarkup(<Report summary={summary} content={content} />)}\n`;
}

function Report({ summary, content }: { readonly summary: Summary; readonly content: ReportContent }): VNode {
  const { run, images, annotated, selected, train, skipped, rejected, teacher, speed, seconds } = summary;
  const { accuracy, curve, analysis, levelling, looks, samples, styles } = content;
  const figures = {
    images,
    'annotated by the L-VLM': annotated,
    'selected to learn from': selected,
    'training steps': train.steps,
  };
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Levelling report</title>
        {/* Our own file: what it holds is no HTML, so it must not be escaped. */}
        <style dangerouslySetInnerHTML={{ __html: styles }} />
      </head>
      <body>
        <header>
          <h1>Levelling report</h1>
          <p class="lead">
            {run}, {duration(seconds)}
          </p>
        </header>
        <main>
          <Figures values={figures} />
          <h2>Accuracy</h2>
          {Object.keys(accuracy).length > 0 && (
            <AccuracyPlot title="Per cent, with 95 % bootstrap intervals" groups={markGroups(accuracy)} />
          )}
          <AccuracyTable tasks={accuracy} speed={speed} />
          <h2>Training</h2>
          <TrainingCurves lines={curveLines(curve)} />
          <h2>What became of the images</h2>
          <div class="sides">
            <Reasons title="Skipped images" none="Every image was annotated." counts={skipped} />
            <Reasons title="Rejected annotations" none="Every annotation was selected." counts={rejected} />
          </div>
          {teacher && (
            <>
              <h2>What the L-VLM was asked</h2>
              <TeacherTable teacher={teacher} />
            </>
          )}
          <AnalysisSection analysis={analysis} levelling={levelling}>
            <Looks shown={looks} />
          </AnalysisSection>
          <h2>Samples that show the gap</h2>
          <Gallery samples={samples} />
        </main>
      </body>
    </html>
  );
}

function Gallery({ samples }: { readonly samples: readonly GallerySample[] }): VNode {
  if (samples.length === 0) return <p>None.</p>;
  return (
    <ul class="gallery">
      {samples.map((each, i) => (
        <li key={i}>
          <SampleCard {...each} />
        </li>
      ))}
    </ul>
  );
}
