/**
 * `Array.from` of this bundle. Old libraries replace the page's own by one that ignores its second
 * argument; the page keeps what it has.
 */
export function arrayFrom<T, U>(
  source: Iterable<T> | ArrayLike<T>,
  map?: (item: T, index: number) => U,
): (T | U)[] {
  const made: (T | U)[] = [];
  const add = (item: T) => {
    made[made.length] = map ? map(item, made.length) : item;
  };
  if (source && Symbol.iterator in Object(source)) {
    for (const item of source as Iterable<T>) add(item);
  } else {
    const list = source as ArrayLike<T>;
    for (let index = 0; index < list.length; index += 1) add(list[index] as T);
  }
  return made;
}
