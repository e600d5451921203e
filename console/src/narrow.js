/** Whether there is room for one column alone, as style/narrow.css has it. */
export function isNarrow() {
  return matchMedia('(max-width: 760px)').matches;
}
