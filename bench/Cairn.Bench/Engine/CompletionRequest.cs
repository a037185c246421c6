using System.Text;

namespace Cairn.Bench.Engine;

/// <summary>A whole HTTP request for a streamed completion of tokens, as the engine and llama-server both take it.</summary>
internal static class CompletionRequest
{
    /// <summary>Ends after exactly <paramref name="tokens"/>, always with the likeliest.</summary>
    public static byte[] Greedy(int[] prompt, int tokens) => Write(prompt, tokens, "\"temperature\":0,\"ignore_eos\":true");

    /// <param name="prompt">Its tokens.</param>
    /// <param name="tokens">Of output, at most.</param>
    /// <param name="more">Further members of the body.</param>
    public static byte[] Write(int[] prompt, int tokens, string more)
    {
        var body = $$"""{"prompt":[{{string.Join(',', prompt)}}],"max_tokens":{{tokens}},"stream":true,"stream_options":{"include_usage":true},{{more}}}""";
        return Encoding.UTF8.GetBytes(
            $"POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
    }
}
