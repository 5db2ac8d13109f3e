import type { VNode } from 'preact';
import type { ListedRun } from '../src/api.js';

const SIGNS = { running: '▶', stopped: '■', finished: '✓', unreadable: '⚠' } as const;

/** How a run stands: a sign and a word. */
export function StatusMark({ status }: Pick<ListedRun, 'status'>): VNode {
  return (
    <span class={`status ${status}`}>
      <span aria-hidden="true">{SIGNS[status]}</span> {status}
    </span>
  );
}
