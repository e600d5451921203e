/** Shows or hides a plugin by its own button: GraphiQL makes room for it then, and only then. */
export function toggle({ title }) {
  document.querySelector(`.graphiql-sidebar [aria-label$=' ${title}']`).click();
}
