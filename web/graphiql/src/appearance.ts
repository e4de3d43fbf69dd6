import { useMonaco } from "@graphiql/react";
import { useEffect } from "react";

type Ground = "light" | "dark";

// GraphiQL selects its editor themes by these names; defining them anew is how it lets them be changed.
const THEME = { light: "graphiql-LIGHT", dark: "graphiql-DARK" } as const;

const SYNTAX = {
  light: {
    surface: "#ffffff",
    accent: "#3553e0",
    wash: "#3553e014",
    keyword: "#a5309b",
    name: "#1f4fc4",
    argument: "#0b7285",
    string: "#1a7f4b",
    number: "#b3541e",
    comment: "#65708a",
    text: "#273048",
  },
  dark: {
    surface: "#161c2c",
    accent: "#8ea4ff",
    wash: "#8ea4ff1f",
    keyword: "#e59adf",
    name: "#9db4ff",
    argument: "#67d4e4",
    string: "#7fd9a6",
    number: "#f4b183",
    comment: "#76829f",
    text: "#dbe2f3",
  },
} as const;

/** Draws Monaco in our colours as soon as it is loaded. */
export function useEditorAppearance(): void {
  const monaco = useMonaco((state) => state.monaco);
  useEffect(() => {
    if (!monaco) return;
    for (const ground of ["light", "dark"] as const) monaco.editor.defineTheme(THEME[ground], editorTheme(ground));
  }, [monaco]);
}

function editorTheme(ground: Ground) {
  const paint = SYNTAX[ground];
  return {
    base: ground === "dark" ? ("vs-dark" as const) : ("vs" as const),
    inherit: true,
    rules: tokenColours(paint),
    colors: {
      "editor.background": "#00000000",
      "editor.foreground": paint.text,
      "editorLineNumber.foreground": `${paint.comment}80`,
      "editorLineNumber.activeForeground": paint.text,
      "editor.selectionBackground": `${paint.accent}40`,
      "editorHoverWidget.background": paint.surface,
      "editorSuggestWidget.background": paint.surface,
      "editorSuggestWidget.selectedBackground": paint.wash,
      "editorSuggestWidget.selectedForeground": paint.accent,
      "editorWidget.background": paint.surface,
      "menu.background": paint.surface,
      "menu.selectionBackground": paint.wash,
      "menu.selectionForeground": paint.accent,
      "quickInput.background": paint.surface,
      "quickInputList.focusBackground": paint.wash,
      "quickInputList.focusForeground": paint.accent,
      "list.hoverBackground": paint.wash,
      "list.highlightForeground": paint.accent,
      "textLink.foreground": paint.accent,
      "editorLink.activeForeground": paint.accent,
      "scrollbar.shadow": "#00000000",
      "scrollbarSlider.background": `${paint.comment}38`,
      "scrollbarSlider.hoverBackground": `${paint.comment}60`,
      "scrollbarSlider.activeBackground": `${paint.comment}80`,
      focusBorder: paint.accent,
    },
  };
}

function tokenColours(paint: (typeof SYNTAX)[Ground]) {
  const rules: readonly (readonly [token: string, colour: string])[] = [
    ["keyword", paint.keyword],
    ["key.identifier", paint.text],
    ["type.identifier", paint.name],
    ["argument.identifier", paint.argument],
    ["argument.identifier.gql", paint.argument],
    ["variable", paint.argument],
    ["string", paint.string],
    ["string.value.json", paint.string],
    ["string.key.json", paint.name],
    ["number", paint.number],
    ["keyword.json", paint.keyword],
    ["comment", paint.comment],
  ];
  return rules.map(([token, colour]) => ({ token, foreground: colour.slice(1) }));
}
