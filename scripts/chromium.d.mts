export const NO_CHROMIUM: string;
export function chromiumOptions(): { executablePath: string; args: string[] } | null;
