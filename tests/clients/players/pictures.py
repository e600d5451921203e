"""What is seen in the page's video."""

from typing import Final

from playwright.async_api import Page

COLOUR: Final = """() => {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = 1
  const context = canvas.getContext('2d')
  context.drawImage(document.querySelector('video'), 0, 0, 1, 1)
  const [red, , blue] = context.getImageData(0, 0, 1, 1).data
  return red > 150 && blue < 90 ? 'red' : blue > 150 && red < 90 ? 'blue' : 'neither'
}"""
PLAYS: Final = "since => document.querySelector('video').currentTime > since + 0.3 && !document.querySelector('video').seeking"


async def shows(page: Page, colour: str) -> None:
    """Waits until the picture has this colour."""
    await page.wait_for_function(f"colour => ({COLOUR})() === colour", arg=colour)


async def plays(page: Page, since: float = 0) -> None:
    """Waits until it has played on from this second."""
    await page.wait_for_function(PLAYS, arg=since)
