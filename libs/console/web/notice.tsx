import type { VNode } from 'preact';
import type { Asked } from './use-json.js';

/** In the place of what is not there yet, or did not come. */
export function Notice({ asked, waiting }: { readonly asked: Asked<unknown>; readonly waiting: string }): VNode {
  if (asked.error === undefined) return <p role="status">{waiting}</p>;
  return (
    <p role="alert" class="problem">
      {asked.error.replace(/^Error: /, '')}
    </p>
  );
}
