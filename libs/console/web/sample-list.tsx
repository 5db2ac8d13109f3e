import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { SampleRow } from '../src/api.js';
import { measures } from '../src/analysis/measures.js';
import { words } from '../src/components/format.js';
import { runPath } from './fetch-json.js';
import { useVirtualRows } from './use-virtual-rows.js';

/** Pixels of a row; the style sheet has the same. */
const HEIGHT = 76;
/** Rows that Page Up and Page Down go over. */
const LEAP = 10;

interface SampleListProps {
  readonly run: string;
  readonly total: number;
  readonly row: (index: number) => SampleRow | undefined;
  readonly want: (first: number, last: number) => void;
  /** The sample that is shown beside the list. */
  readonly open: string;
  /** The address that shows a sample beside the list. */
  readonly href: (id: string) => string;
}

/**
 * Samples, of which only those in sight are in the page. The list is one stop of the Tab key; arrows, Page Up and Down, Home and
 * End go from row to row, Enter opens one.
 */
export function SampleList({ run, total, row, want, open, href }: SampleListProps): VNode {
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const [moved, setMoved] = useState(false);
  const current = Math.min(active, Math.max(0, total - 1));
  const { rows, total: height, scrollTo } = useVirtualRows({ count: total, height: HEIGHT, kept: current, scroller });
  const seen = rows.filter(({ index }) => index !== current);
  const [first, last] = [seen[0]?.index ?? 0, seen.at(-1)?.index ?? 0];
  useEffect(() => {
    want(first, last);
    want(current, current);
  }, [want, first, last, current]);
  useEffect(() => {
    if (!moved) return;
    const link = scroller.current?.querySelector<HTMLElement>(`[data-index="${current}"]`);
    link?.focus({ preventScroll: true });
    if (link) setMoved(false);
  });

  // What is closed had the focus: the row that it was opened from gets it back.
  const wasOpen = useRef(open);
  useEffect(() => {
    if (wasOpen.current !== '' && open === '') setMoved(true);
    wasOpen.current = open;
  }, [open]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const to = target(event.key, current, total);
    if (to === undefined) return;
    event.preventDefault();
    setActive(to);
    setMoved(true);
    scrollTo(to);
  };
  return (
    <div ref={scroller} class="samples">
      <ul aria-label="Samples" style={{ height: `${height}px` }} onKeyDown={onKeyDown}>
        {rows.map(({ index, start }) => (
          <li
            key={index}
            aria-posinset={index + 1}
            aria-setsize={total}
            style={{ transform: `translateY(${start}px)` }}
          >
            <Row
              run={run}
              sample={row(index)}
              index={index}
              focusable={index === current}
              open={open}
              href={href}
              onFocus={() => setActive(index)}
            />
          </li>
        ))}
      </ul>
    </div>
  );
}

function target(key: string, current: number, total: number): number | undefined {
  const to = { ArrowDown: current + 1, ArrowUp: current - 1, PageDown: current + LEAP, PageUp: current - LEAP, Home: 0, End: total - 1 }[key]; // prettier-ignore
  return to === undefined ? undefined : Math.max(0, Math.min(total - 1, to));
}

interface RowProps extends Pick<SampleListProps, 'run' | 'open' | 'href'> {
  readonly sample: SampleRow | undefined;
  readonly index: number;
  readonly focusable: boolean;
  readonly onFocus: () => void;
}

function Row({ run, sample, index, focusable, open, href, onFocus }: RowProps): VNode {
  const tabIndex = focusable ? 0 : -1;
  if (!sample) {
    return (
      <a class="row" data-index={index} tabIndex={tabIndex} onFocus={onFocus}>
        …
      </a>
    );
  }
  const { id, task, outcome, reason, question, answer, studentAnswer, discrepancies } = sample;
  const apart = measures.flatMap((measure) => (discrepancies[measure] === undefined ? [] : [`${measure} ${discrepancies[measure].toFixed(2)}`])); // prettier-ignore
  return (
    <a
      class="row"
      href={href(id)}
      data-index={index}
      tabIndex={tabIndex}
      aria-current={id === open ? 'true' : undefined}
      onFocus={onFocus}
    >
      <img src={runPath(run, 'samples', id, 'small')} alt="" loading="lazy" width="56" height="56" />
      <span class="texts">
        <span class="question">{question || '(no question)'}</span>
        <span>
          L-VLM: {answer || '(nothing)'} · S-VLM: {studentAnswer || '(nothing)'}
        </span>
        <span class="lead">{[task, outcome, words(reason), ...apart].filter(Boolean).join(' · ')}</span>
      </span>
    </a>
  );
}
