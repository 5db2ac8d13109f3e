import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A folder of `deploy`. */
export const deployed = (path: string): string => fileURLToPath(new URL(`../../../deploy/${path}`, import.meta.url));

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

/** The expressions of the dashboard's panels, with `window` in the place of Grafana's own interval, of all namespaces and releases. */
export function panelExpressions(window: string): { readonly title: string; readonly expression: string }[] {
  const file = deployed('grafana/model-parity-aligner.json');
  const { panels } = JSON.parse(readFileSync(file, 'utf8')) as { readonly panels: readonly Panel[] };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title, expression: filled(expr, window) })),
  );
}

function filled(expression: string, window: string): string {
  return expression.replaceAll('$__rate_interval', window).replaceAll(/\$(namespace|release)\b/g, '.*');
}
