using System.Diagnostics;
using System.Text;

namespace Cairn.Bench.Gateway;

/// <summary>Chats whose model is biased to say nothing but the byte 'a', so that every token's text is whole.</summary>
internal static class StreamedChat
{
    /// <param name="since">The clock's timestamp from which is counted.</param>
    /// <returns>The time to the first word of the streamed answer; the answer is read to its end.</returns>
    /// <exception cref="InvalidOperationException">The answer has no word; the message tells what it was.</exception>
    public static async Task<TimeSpan> FirstWordAsync(HttpClient http, string body, long since)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        TimeSpan? first = null;
        var said = new StringBuilder();
        while (await reader.ReadLineAsync() is { } line)
        {
            said.AppendLine(line);
            if (first is null && line.Contains("\"content\":\"a", StringComparison.Ordinal))
                first = Stopwatch.GetElapsedTime(since);
        }
        return first ?? throw new InvalidOperationException($"The gateway answered {(int)response.StatusCode}: {said}");
    }
}
