using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Cairn.Bench.Gateway;

/// <summary>A simulated engine: answers at once, or streams as many events as tokens are asked for, one each 50 ms, that say when they were sent.</summary>
internal static class MockUpstream
{
    public const int Events = 200;
    public static readonly TimeSpan EventEvery = TimeSpan.FromMilliseconds(50);

    private static readonly byte[] s_answer = Encoding.UTF8.GetBytes(
        """{"id":"c1","object":"chat.completion","created":1,"model":"up","choices":[{"index":0,"message":{"role":"assistant","content":"The answer is forty-two, as far as anybody knows."},"finish_reason":"stop"}],"usage":{"prompt_tokens":120,"completion_tokens":12,"total_tokens":132}}""");

    public static async Task AnswerAsync(HttpContext context)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        if (body.GetBuffer().AsSpan(0, (int)body.Length).IndexOf("\"stream\":true"u8) < 0)
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = s_answer.Length;
            await context.Response.Body.WriteAsync(s_answer, context.RequestAborted);
            return;
        }
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers["X-Accel-Buffering"] = "no"; // nginx keeps events back otherwise
        try
        {
            var events = Asked(body.GetBuffer().AsSpan(0, (int)body.Length));
            for (var i = 0; i < events; i++)
            {
                await context.Response.Body.WriteAsync(Event(i), context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(EventEvery, context.RequestAborted);
            }
            await context.Response.Body.WriteAsync("data: [DONE]\n\n"u8.ToArray(), context.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            // The client has seen enough.
        }
    }

    private static int Asked(ReadOnlySpan<byte> body)
    {
        var mark = "\"max_tokens\":"u8;
        return body.IndexOf(mark) is >= 0 and var at && Utf8Parser.TryParse(body[(at + mark.Length)..], out int tokens, out _) ? tokens : Events;
    }

    private static byte[] Event(int number) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
        $"data: {{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"sent\":{Stopwatch.GetTimestamp()},\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{number:0000}\"}}}}]}}\n\n"));
}
