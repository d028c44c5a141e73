/** Stage: report. The state of a guard as Prometheus reads it. prom-client is loaded when it is asked for, not before. */
import { PRESSURE_LEVELS } from '../pressure/memory-state.js';
import type { Answer } from './answer.js';
import type { ControlledGuard } from './controlled.js';
import type { ControlState } from './state-resources.js';

interface Metric {
  readonly kind: 'gauge' | 'counter';
  readonly name: string;
  readonly help: string;
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

const gauge = (name: string, help: string, value: number): Metric => ({ kind: 'gauge', name, help, value });
const counter = (name: string, help: string, value: number): Metric => ({ kind: 'counter', name, help, value });
const KIB = 1024;

function memoryMetrics({ memory }: ControlledGuard): Metric[] {
  if (memory === null) return [];
  const { totalKib, availableKib, swapTotalKib, swapFreeKib } = memory;
  return [
    gauge('badness_memory_total_bytes', 'Memory of the domain.', totalKib * KIB),
    gauge('badness_memory_available_bytes', 'Memory of the domain that can be had without a kill.', availableKib * KIB),
    gauge('badness_swap_total_bytes', 'Swap of the domain.', swapTotalKib * KIB),
    gauge('badness_swap_free_bytes', 'Swap of the domain that is free.', swapFreeKib * KIB),
  ];
}

function guardMetrics(guard: ControlledGuard, { version }: ControlState): Metric[] {
  const { facts, counters, reloads, level, token, queue, protectedCount } = guard;
  const { readings, rounds, released, freedBytes, others } = counters;
  const labels = { domain: facts.domain, scheme: facts.scheme, version: version ?? '' };
  return [
    { ...gauge('badness_info', 'What is guarded, by which scheme.', 1), labels },
    gauge('badness_enforce', '1 when it kills, 0 when it only says whom it would.', facts.enforce ? 1 : 0),
    gauge('badness_pressure_level', '0 none, 1 warn, 2 term, 3 kill.', PRESSURE_LEVELS.indexOf(level)),
    counter('badness_readings_total', 'Readings of memory.', readings),
    counter('badness_rounds_total', 'Rounds begun.', rounds),
    counter('badness_rounds_released_total', 'Rounds that ended in a proved release of memory.', released),
    counter('badness_rounds_other_total', 'Rounds that ended otherwise.', others),
    counter('badness_freed_bytes_total', 'Memory that came back with those that were released.', freedBytes),
    counter('badness_policy_reloads_total', 'Other policies that came into force.', reloads.taken),
    counter('badness_policy_refused_total', 'Other policies that were refused.', reloads.refused),
    gauge('badness_token_held', '1 while a kill is in flight in the domain.', token ? 1 : 0),
    gauge('badness_queue_tasks', 'Tasks in the candidate queue.', queue.count),
    gauge('badness_protected_tasks', 'Tasks that are protected.', protectedCount),
  ];
}

function pluginMetrics({ plugin }: ControlledGuard): Metric[] {
  if (plugin === null) return [];
  const { state, answered, fallbacks, restarts } = plugin;
  return [
    gauge('badness_plugin_ready', '1 while the plug-in scheme can be asked.', state === 'ready' ? 1 : 0),
    counter('badness_plugin_answers_total', 'Choices by points of the plug-in scheme.', answered),
    counter('badness_plugin_fallbacks_total', 'Choices by the fallback scheme in its place.', fallbacks),
    counter('badness_plugin_restarts_total', 'Threads of the plug-in scheme started after the first.', restarts),
  ];
}

function controlMetrics({ connections, readers, requests, dropped }: ControlState): Metric[] {
  return [
    gauge('badness_control_connections', 'Connections to the control socket.', connections),
    gauge('badness_control_event_readers', 'Readers of events among them.', readers),
    counter('badness_control_requests_total', 'Requests answered.', requests),
    counter('badness_control_readers_dropped_total', 'Readers of events that did not keep up.', dropped),
  ];
}

export async function metricsAnswer(guard: ControlledGuard, state: ControlState): Promise<Answer> {
  const { Counter, Gauge, Registry } = await import('prom-client');
  const registry = new Registry();
  const all = [
    ...guardMetrics(guard, state),
    ...pluginMetrics(guard),
    ...memoryMetrics(guard),
    ...controlMetrics(state),
  ];
  for (const { kind, name, help, value, labels = {} } of all) {
    const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
    if (kind === 'gauge') new Gauge(options).set(labels, value);
    else new Counter(options).inc(labels, value);
  }
  return { type: registry.contentType, body: await registry.metrics() };
}
