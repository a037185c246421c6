using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Cairn.Cli.CommandLine;

namespace Cairn.Cli.Connection;

/// <summary>Follows an event stream of the server and takes it up again where it broke off.</summary>
internal static class ServerSentEvents
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Yields each event's data, read by <paramref name="read"/>, until the server ends the stream with an event named <c>end</c>. A
    /// broken connection is taken up again after the last id for as long as <paramref name="patience"/> lasts without an answer.
    /// </summary>
    public static async IAsyncEnumerable<T> FollowAsync<T>(
        ApiClient api, string path, Func<string, T> read, TimeSpan patience, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var time = TimeProvider.System;
        string? lastId = null;
        var lastAnswer = time.GetTimestamp();
        var pause = s_firstPause;
        while (true)
        {
            HttpResponseMessage? response = null;
            try
            {
                var request = new HttpRequestMessage(HttpMethod.Get, path);
                request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
                if (lastId is not null)
                    request.Headers.Add("Last-Event-ID", lastId);
                response = await api.OpenAsync(request, cancellationToken);
            }
            catch (CliException exception) when (exception.ExitCode == ExitCodes.Unreachable && time.GetElapsedTime(lastAnswer) < patience)
            {
                // The server is away for a moment; what runs goes on without it.
            }

            if (response is not null)
            {
                using (response)
                {
                    await using var events = SseParser.Create(await response.Content.ReadAsStreamAsync(cancellationToken))
                        .EnumerateAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
                    while (await MoveNextAsync(events))
                    {
                        pause = s_firstPause;
                        lastAnswer = time.GetTimestamp();
                        if (events.Current.EventType == "end")
                            yield break;
                        lastId = string.IsNullOrEmpty(events.Current.EventId) ? lastId : events.Current.EventId;
                        if (events.Current.Data.Length > 0)
                            yield return read(events.Current.Data);
                    }
                }
            }

            await Task.Delay(pause, time, cancellationToken);
            pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause;
        }
    }

    private static async Task<bool> MoveNextAsync<T>(IAsyncEnumerator<SseItem<T>> events)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            return false;
        }
    }
}
