import { type Path, PathSet, type Placeholders, Problems, resolvePath } from './placeholders.ts';
import { ExpressionError, Parser, type RawPath, remembered, wording } from './syntax.ts';

const noKeywords = (): boolean => false;

const parseProjection = remembered((text: string): readonly RawPath[] => {
  const parser = new Parser(text);
  const paths = [parser.path(noKeywords)];
  while (parser.takeSymbol(',')) paths.push(parser.path(noKeywords));
  parser.expectEnd();
  return paths;
});

/** The paths of a projection expression. Throws ValidationException. */
export function projectionPaths(text: string, placeholders: Placeholders): readonly Path[] {
  return wording('ProjectionExpression', () => {
    const problems = new Problems<'reserved' | 'name' | 'overlap' | 'conflict'>();
    const paths = parseProjection(text).map((raw) =>
      resolvePath(raw, placeholders, {
        reserved: (message) => problems.add('reserved', message),
        undefinedName: (message) => problems.add('name', message),
      }),
    );
    const set = new PathSet();
    for (const path of paths) {
      set.add(path, { overlap: (message) => problems.add('overlap', message), conflict: (message) => problems.add('conflict', message) });
    }
    const problem = problems.first(['reserved', 'name', 'overlap', 'conflict']);
    if (problem !== undefined) throw new ExpressionError(problem);
    return paths;
  });
}
