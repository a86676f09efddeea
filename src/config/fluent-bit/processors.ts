/** `processors.traces` of an input or output (specification: configuration 4.7). */
import { type Problem, error, warning } from '../message.ts';
import { type MappingNode, type Node, type Position } from '../tree.ts';
import type { Section } from './section.ts';
import { textOf } from './yaml-file.ts';

type Plain = string | number | boolean | readonly Plain[] | { readonly [key: string]: Plain };

/** One processor of the Collector's model. */
export interface TraceStep {
  readonly type: string;
  readonly settings: { readonly [key: string]: Plain };
  readonly position: Position;
  /** In Fluent Bit's notation. */
  readonly key: string;
}

export function readSteps(section: Section, problems: Problem[]): readonly TraceStep[] {
  if (section.processors?.kind !== 'mapping') return [];
  return [...section.processors.entries].flatMap(([signal, { position, value }]) => {
    if (signal === 'traces')
      return (value.kind === 'list' ? value.items : []).flatMap((item) => readStep(item, problems));
    problems.push(warning(position, `processors.${signal}`, 'is ignored: Raybridge handles traces only'));
    return [];
  });
}

function readStep(node: Node, problems: Problem[]): readonly TraceStep[] {
  const members = node.kind === 'mapping' ? node : undefined;
  const name = textOf(members?.entries.get('name')?.value);
  if (members && name === 'content_modifier') return contentModifier(members, problems);
  if (members && name === 'sampling') return sampling(members, problems);
  const hints = ['processors for traces: content_modifier, sampling'];
  problems.push(
    error(node.position, 'processors.traces', `processor ${JSON.stringify(name)} is not implemented for traces`, {
      hints,
    }),
  );
  return [];
}

const contexts = ['span_name', 'span_kind', 'span_status', 'span_attributes'];

/** Whatever its context, every action works on the attributes of spans. */
function contentModifier(members: MappingNode, problems: Problem[]): readonly TraceStep[] {
  const text = (name: string) => textOf(members.entries.get(name)?.value);
  const { position } = members;
  const complain = (name: string, message: string): readonly TraceStep[] => {
    problems.push(error(members.entries.get(name)?.value.position ?? position, `content_modifier ${name}`, message));
    return [];
  };
  const context = text('context') || 'span_attributes';
  if (!contexts.includes(context)) return complain('context', `unknown traces context '${context}'`);
  const [action, key, value] = [text('action'), text('key'), text('value')];
  if (key === '') return complain('key', 'is required');
  const step = (...actions: readonly { readonly [key: string]: Plain }[]): readonly TraceStep[] => [
    { type: 'attributes', settings: { actions }, position, key: 'content_modifier' },
  ];
  switch (action) {
    case 'insert':
    case 'upsert':
      return step({ key, value, action });
    case 'delete':
    case 'hash':
      return step({ key, action });
    case 'rename':
      return step({ key: value, from_attribute: key, action: 'upsert' }, { key, action: 'delete' });
    case 'extract':
      return step({ key, pattern: text('pattern').replaceAll('(?<', '(?P<'), action });
    case 'convert': {
      const type = { int: 'int', double: 'double', string: 'string', boolean: 'boolean' }[text('converted_type')];
      return type === undefined
        ? complain('converted_type', 'expected string, boolean, int or double')
        : step({ key, converted_type: type, action });
    }
    default:
      return complain(
        'action',
        `expected insert, upsert, delete, rename, hash, extract or convert, got ${JSON.stringify(action)}`,
      );
  }
}

const percentageDefault = 10;

function sampling(members: MappingNode, problems: Problem[]): readonly TraceStep[] {
  const settings = members.entries.get('sampling_settings')?.value;
  const setting = (name: string): Node | undefined => {
    const inside = settings?.kind === 'mapping' ? settings.entries.get(name) : undefined;
    const beside = members.entries.get(name);
    if (!inside && beside) {
      const text = 'stands beside sampling_settings, where Fluent Bit does not look; it is taken all the same';
      problems.push(warning(beside.position, `sampling ${name}`, text));
    }
    return (inside ?? beside)?.value;
  };
  const type = textOf(members.entries.get('type')?.value);
  const { position } = members;
  if (type === 'probabilistic') {
    const node = setting('sampling_percentage');
    const text = textOf(node);
    if (text !== '' && !/^\d+(?:\.\d+)?$/.test(text)) {
      problems.push(
        error(
          node?.position ?? position,
          'sampling sampling_percentage',
          `expected a number, got ${JSON.stringify(text)}`,
        ),
      );
    }
    const percentage = text === '' ? percentageDefault : Number(text);
    return [{ type: 'fluent_bit_sampler', settings: { sampling_percentage: percentage }, position, key: 'sampling' }];
  }
  if (type === 'tail') return tailSampling(members, setting, problems);
  const message = type === '' ? "no sampling 'type' defined" : `unknown sampling type '${type}'`;
  problems.push(error(position, 'sampling type', message));
  return [];
}

function tailSampling(
  members: MappingNode,
  setting: (name: string) => Node | undefined,
  problems: Problem[],
): readonly TraceStep[] {
  const conditions = members.entries.get('conditions')?.value;
  const policies = (conditions?.kind === 'list' ? conditions.items : []).flatMap((node, i) =>
    node.kind === 'mapping' ? policyOf(node, i, problems) : [],
  );
  const wait = textOf(setting('decision_wait'));
  const traces = textOf(setting('max_traces'));
  return [
    {
      type: 'tail_sampling',
      settings: {
        ...(wait === '' ? {} : { decision_wait: /^\d+$/.test(wait) ? `${wait}s` : wait }),
        ...(/^\d+$/.test(traces) ? { num_traces: Number(traces) } : {}),
        policies: policies.length > 0 ? policies : [{ name: 'all', type: 'always_sample' }],
      },
      position: members.position,
      key: 'sampling',
    },
  ];
}

type Policy = { readonly [key: string]: Plain };

function policyOf(node: MappingNode, index: number, problems: Problem[]): readonly Policy[] {
  const entry = (name: string) => node.entries.get(name)?.value;
  const text = (name: string) => textOf(entry(name));
  const list = (name: string): readonly string[] => {
    const value = entry(name);
    return value?.kind === 'list' ? value.items.map(textOf) : value ? [textOf(value)] : [];
  };
  const type = text('type');
  const name = `condition ${index}: ${type}`;
  const policy = (kind: string, settings: Policy): readonly Policy[] => [{ name, type: kind, [kind]: settings }];
  const condition = (...conditions: readonly string[]): readonly Policy[] =>
    policy('ottl_condition', { error_mode: 'ignore', span: conditions });
  const key = JSON.stringify(text('key'));
  const exists = text('match_type') === 'exists';
  const present = [`attributes[${key}] != nil`, `resource.attributes[${key}] != nil`];
  switch (type) {
    case 'latency': {
      const [low, high] = [Number(text('threshold_ms_low')), Number(text('threshold_ms_high'))];
      const duration = '(end_time_unix_nano - start_time_unix_nano)';
      return condition(
        ...(high > 0 ? [`${duration} >= ${high * 1e6}`] : []),
        ...(low > 0 ? [`${duration} < ${(low + 1) * 1e6}`] : []),
      );
    }
    case 'span_count':
      return policy('span_count', { min_spans: Number(text('min_spans')), max_spans: Number(text('max_spans')) });
    case 'status_code':
      return policy('status_code', { status_codes: list('status_codes').map((code) => code.toUpperCase()) });
    case 'string_attribute':
      if (exists) return condition(...present);
      return policy('string_attribute', {
        key: text('key'),
        values: list('values'),
        enabled_regex_matching: text('match_type') === 'regex',
      });
    case 'numeric_attribute': {
      if (exists) return condition(...present);
      const [min, max] = [text('min_value'), text('max_value')];
      return condition(
        ...['attributes', 'resource.attributes'].map((map) => `${map}[${key}] >= ${min} and ${map}[${key}] <= ${max}`),
      );
    }
    case 'boolean_attribute':
      if (exists) return condition(...present);
      return policy('boolean_attribute', { key: text('key'), value: text('value') === 'true' });
    case 'trace_state':
      return list('values').flatMap((pair, i) => {
        const [member = '', ...rest] = pair.split('=');
        const settings = { key: member, values: [rest.join('=')] };
        return [{ name: `${name} ${i}`, type: 'trace_state', trace_state: settings }];
      });
    default:
      problems.push(error(node.position, 'sampling conditions', `unknown condition type ${JSON.stringify(type)}`));
      return [];
  }
}
