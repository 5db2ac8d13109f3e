/** Asks the server. Throws an Error with what it says is wrong. */
export async function fetchJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(path, signal ? { signal } : {});
  const answer = (await response.json()) as T & { readonly error?: string };
  if (!response.ok) throw new Error(answer.error ?? response.statusText);
  return answer;
}

/** The address of a run's part on the server. */
export function runPath(run: string, ...parts: readonly string[]): string {
  return ['/api/runs', ...[run, ...parts].map(encodeURIComponent)].join('/');
}

/** The address of a run's page. */
export function runPage(run: string): string {
  return `/runs/${encodeURIComponent(run)}`;
}
