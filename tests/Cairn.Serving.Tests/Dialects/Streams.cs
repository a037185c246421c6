using System.Text;
using System.Text.Json.Nodes;
using Cairn.Serving.Tests.Gateway;
using Microsoft.AspNetCore.Http;

namespace Cairn.Serving.Tests.Dialects;

/// <summary>Streams of events, as servers send them and clients read them.</summary>
internal static class Streams
{
    /// <summary>A chat completion's stream.</summary>
    public static Func<HttpContext, Task> Chat(params string[] chunks) => context =>
        FakeReplica.Stream(context, chunks.Append("[DONE]").Select(c => (c, Task.CompletedTask)));

    /// <summary>Anthropic's: every event is named by its type. Written in pieces of seven bytes.</summary>
    public static Func<HttpContext, Task> Named(params string[] events) => async context =>
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        var all = string.Concat(events.Select(e => $"event: {(string?)JsonNode.Parse(e)!["type"]}\ndata: {e}\n\n"));
        foreach (var piece in Encoding.UTF8.GetBytes(all).Chunk(7))
        {
            await context.Response.Body.WriteAsync(piece);
            await context.Response.Body.FlushAsync();
        }
    };

    public static string Delta(string delta, string? finish = null) =>
        $$"""{"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{{delta}},"finish_reason":{{(finish is null ? "null" : $"\"{finish}\"")}}}]}""";

    /// <summary>The events that a client got: their names and data.</summary>
    public static async Task<List<(string? Name, JsonNode? Data)>> EventsOf(HttpResponseMessage response)
    {
        var events = new List<(string?, JsonNode?)>();
        foreach (var one in (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var lines = one.Split('\n');
            var data = lines.FirstOrDefault(l => l.StartsWith("data: ", StringComparison.Ordinal))?[6..];
            events.Add((lines[0].StartsWith("event: ", StringComparison.Ordinal) ? lines[0][7..] : null, data is null or "[DONE]" ? data : JsonNode.Parse(data)));
        }
        return events;
    }
}
