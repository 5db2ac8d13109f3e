import type { VNode } from 'preact';
import { useLocation, useRoute } from 'preact-iso';
import { count } from '../../src/components/format.js';
import { runPage } from '../fetch-json.js';
import { Notice } from '../notice.js';
import { PageTitle } from '../page-title.js';
import { SampleFilters } from '../sample-filters.js';
import { SampleList } from '../sample-list.js';
import { SamplePanel } from '../sample-panel.js';
import { useRun } from '../use-run.js';
import { useSamplePages } from '../use-sample-pages.js';

/** The samples of a run: filters, the list, and beside it the sample that is open. The address holds all three. */
export function SamplesPage(): VNode {
  const name = useRoute().params['run']!;
  const { url, route } = useLocation();
  const asked = useRun(name);
  const filter = new URLSearchParams(url.split('?')[1]);
  const open = filter.get('sample') ?? '';
  filter.delete('sample');
  const { head, error, row, want } = useSamplePages(name, filter.toString(), JSON.stringify(asked.value?.counts));
  const href = (id: string): string => {
    const query = new URLSearchParams([...filter, ...(id === '' ? [] : [['sample', id]])]);
    return `${runPage(name)}/samples?${query}`;
  };
  const change = (changes: Readonly<Record<string, string>>): void => {
    for (const [key, value] of Object.entries(changes)) {
      if (value === '') filter.delete(key);
      else filter.set(key, value);
    }
    route(href(''), true);
  };
  return (
    <div class={open === '' ? 'browse' : 'browse with-panel'}>
      <PageTitle title={`Samples of ${name}`} />
      <p class="lead">
        <a href={runPage(name)}>{name}</a>
      </p>
      <SampleFilters filter={filter} counts={head} onChange={change} />
      <p role="status" class="lead">
        {head ? `${count(head.total)} samples` : 'Reading the samples …'}
      </p>
      {(error ?? asked.error) !== undefined && <Notice asked={{ error: (error ?? asked.error)! }} waiting="" />}
      <div class="columns">
        <SampleList
          key={filter.toString()}
          run={name}
          total={head?.total ?? 1}
          row={row}
          want={want}
          open={open}
          href={href}
        />
        {open !== '' && <SamplePanel run={name} id={open} close={href('')} />}
      </div>
    </div>
  );
}
