import type { VNode } from 'preact';
import { count } from './format.js';

/** The few numbers that say most, each above its label. */
export function Figures({ values }: { readonly values: Readonly<Record<string, number>> }): VNode {
  return (
    <ul class="figures">
      {Object.entries(values).map(([label, value]) => (
        <li key={label}>
          <strong>{count(value)}</strong>
          {label}
        </li>
      ))}
    </ul>
  );
}
