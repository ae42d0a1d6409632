import { type CollectionTag, isScalar, isSeq, type ScalarTag, YAMLMap, YAMLSeq } from 'yaml';

const NAMES = [
  'And',
  'Base64',
  'Cidr',
  'Condition',
  'Equals',
  'FindInMap',
  'GetAtt',
  'GetAZs',
  'If',
  'ImportValue',
  'Join',
  'Not',
  'Or',
  'Ref',
  'Select',
  'Split',
  'Sub',
  'Transform',
];

/** CloudFormation's short forms (`!Ref X`), kept as they are so that the packaged template reads like the one on disk. */
export const CLOUDFORMATION_TAGS: (ScalarTag | CollectionTag)[] = NAMES.flatMap((name): (ScalarTag | CollectionTag)[] => [
  { tag: `!${name}`, resolve: (text: string) => text, identify: () => false },
  { tag: `!${name}`, collection: 'seq', nodeClass: YAMLSeq, identify: () => false, resolve: (value) => (isSeq(value) ? value : new YAMLSeq()) },
  { tag: `!${name}`, collection: 'map', nodeClass: YAMLMap, identify: () => false, resolve: (value) => (isScalar(value) ? new YAMLMap() : value) },
]);
