// Plays what is to be shown, says in words what is not, and looks again while that may change.
(() => {
  'use strict'
  const AGAIN_AFTER = { waiting: 15000, soon: 2000, away: 3000 }
  const MEDIA_ERRORS = 3
  const { look, playlist, showing } = document.body.dataset
  const [video, sentence, edge] = ['video', '#sentence', '#edge'].map((name) => document.querySelector(name))
  let hls = null
  let timer = 0
  let repaired = 0
  // Where a whole stream goes on after a failure; a live one goes on live.
  let place = 0

  const show = (told) => {
    clearTimeout(timer)
    sentence.textContent = told.sentence
    if (told.playlist) {
      play(told.playlist, told.showing === 'live')
    } else {
      stop()
      if (told.showing in AGAIN_AFTER) timer = setTimeout(ask, AGAIN_AFTER[told.showing])
    }
  }

  const ask = async () => {
    try {
      const answer = await fetch(look, { cache: 'no-store' })
      show(await answer.json())
    } catch {
      show({ showing: 'away', sentence: 'The connection is lost; trying again.' })
    }
  }

  const play = (address, live) => {
    stop()
    video.hidden = false
    if (Hls.isSupported()) {
      // A worker would be made of a blob, which the page's policy does not let run.
      hls = new Hls({ enableWorker: false, liveSyncDurationCount: 2, startPosition: live ? -1 : place })
      hls.on(Hls.Events.ERROR, (_, told) => told.fatal && failed(told))
      hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => { edge.hidden = !details.live })
      hls.on(Hls.Events.FRAG_BUFFERED, () => { repaired = 0 })
      hls.loadSource(address)
      hls.attachMedia(video)
    } else {
      video.src = address
      video.onerror = () => failed({ response: {} })
    }
    // Without a gesture some browsers play nothing, not even muted: the controls are there.
    video.play().catch(() => undefined)
  }

  const stop = () => {
    hls?.destroy()
    hls = null
    video.onerror = null
    video.removeAttribute('src')
    video.hidden = edge.hidden = true
  }

  const failed = (told) => {
    if (told.type === Hls.ErrorTypes.MEDIA_ERROR && repaired++ < MEDIA_ERRORS) return hls.recoverMediaError()
    place = video.currentTime
    stop()
    // Whoever may not watch any more is told so at once; what may be back in a moment gets that moment.
    const refused = told.response?.code >= 400 && told.response.code < 500
    if (!refused) sentence.textContent = 'The stream is interrupted; trying again.'
    timer = setTimeout(ask, refused ? 0 : AGAIN_AFTER.away)
  }

  edge.addEventListener('click', () => {
    video.currentTime = hls?.liveSyncPosition ?? video.duration
    video.play().catch(() => undefined)
  })
  show({ showing, sentence: sentence.textContent, playlist })
})()
