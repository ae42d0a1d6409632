import { expect, test } from 'vitest';
import { Slots } from './slots.ts';

test('slots hold what is there, each once, and are used again', () => {
  const slots = new Slots<{ n: number }>();
  const places = [0, 1, 2].map((n) => slots.add({ n }));
  expect([...slots].map(({ n }) => n)).toEqual([0, 1, 2]);
  slots.delete(places[1] ?? -1);
  slots.delete(places[1] ?? -1);
  expect([...slots].map(({ n }) => n)).toEqual([0, 2]);
  expect([slots.add({ n: 3 }), slots.add({ n: 4 })]).toEqual([places[1], 3]);
  expect([...slots].map(({ n }) => n)).toEqual([0, 3, 2, 4]);
});
