import { useEffect, useState } from 'preact/hooks';
import type { RunView } from '../src/api.js';
import { fetchJson, runPath } from './fetch-json.js';
import type { Asked } from './use-json.js';

/** A run as it is, and as it goes on until it is finished. */
export function useRun(name: string): Asked<RunView> {
  const [asked, setAsked] = useState<Asked<RunView>>({});
  useEffect(() => {
    setAsked({});
    const events = new EventSource(runPath(name, 'events'));
    events.addEventListener('run', ({ data }: MessageEvent<string>) => {
      const value = JSON.parse(data) as RunView;
      setAsked({ value });
      if (value.status === 'finished') events.close();
    });
    events.addEventListener('gone', ({ data }: MessageEvent<string>) => {
      setAsked({ error: data });
      events.close();
    });
    // The browser tries again by itself when the connection breaks, but not when the server refuses; it does not say why.
    events.addEventListener('error', () => {
      if (events.readyState !== EventSource.CLOSED) return;
      fetchJson<RunView>(runPath(name)).then(
        (value) => setAsked({ value }),
        (error: unknown) => setAsked({ error: String(error) }),
      );
    });
    return () => events.close();
  }, [name]);
  return asked;
}
