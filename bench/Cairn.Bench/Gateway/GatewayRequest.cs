using System.Globalization;
using System.Text;

namespace Cairn.Bench.Gateway;

/// <summary>A whole HTTP request of about 600 bytes of JSON.</summary>
internal static class GatewayRequest
{
    private static readonly string s_prompt = string.Concat(Enumerable.Repeat("What do you get if you multiply six by nine? ", 10));

    /// <param name="events">How many a stream has; 0 asks for a whole answer.</param>
    public static byte[] To(Uri address, string model = "tiny", int events = 0, int key = 0)
    {
        var body = $$"""{"model":"{{model}}","messages":[{"role":"system","content":"You are brief."},{"role":"user","content":"{{s_prompt}}"}],"max_tokens":{{(events > 0 ? events : 64)}},"stream":{{(events > 0 ? "true" : "false")}}}""";
        return Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"POST /v1/chat/completions HTTP/1.1\r\nHost: {address.Authority}\r\nAuthorization: Bearer {BenchKeys.At(key)}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
    }
}
