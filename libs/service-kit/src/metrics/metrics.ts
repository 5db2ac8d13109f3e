import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What a metric is: its name after Prometheus's conventions, what it tells, and the names of its labels. */
interface Description<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

/**
 * What a service counts, for Prometheus. Every value has the label `stage`, the service's name. Counting costs an addition,
 * whether somebody asks for the values or not.
 */
export class Metrics {
  readonly registry = new Registry();

  /** What the service has done, by what became of it. */
  readonly records = this.counter({
    name: 'mpa_stage_records_total',
    help: 'Records, samples or questions that the stage has done, by what became of them',
    labels: ['outcome'],
  });

  constructor(stage: string) {
    this.registry.setDefaultLabels({ stage });
  }

  /** A number that only grows. */
  counter<L extends string>({ name, help, labels = [] }: Description<L>): Counter<L> {
    return new Counter({ name, help, labelNames: labels, registers: [this.registry] });
  }

  /** A number that goes up and down; `measure` sets it whenever it is asked for. */
  gauge<L extends string>(
    { name, help, labels = [] }: Description<L>,
    measure?: (gauge: Gauge<L>) => Promise<void>,
  ): Gauge<L> {
    const collect = measure && { collect: (): Promise<void> => measure(gauge) };
    const gauge = new Gauge({ name, help, labelNames: labels, registers: [this.registry], ...collect });
    return gauge;
  }

  /** How often a size was at most each of `buckets`. */
  histogram<L extends string>({ name, help, labels = [] }: Description<L>, buckets: readonly number[]): Histogram<L> {
    return new Histogram({ name, help, labelNames: labels, buckets: [...buckets], registers: [this.registry] });
  }
}
