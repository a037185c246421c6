using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Tests.Gateway;

/// <summary>An HTTP server on loopback that answers as the test says, and remembers what it was asked.</summary>
internal sealed class FakeReplica : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeReplica(WebApplication app) => _app = app;

    public ConcurrentQueue<(string Path, string Body, Dictionary<string, string> Headers)> Asked { get; } = new();

    /// <summary>Requests under way.</summary>
    public int Running;

    public required Func<HttpContext, Task> Answering { get; set; }

    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public static async Task<FakeReplica> StartAsync(Func<HttpContext, Task>? answering = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var replica = new FakeReplica(app) { Answering = answering ?? (context => Chat(context, "Hello.", 7, 2)) };
        app.Run(async context =>
        {
            Interlocked.Increment(ref replica.Running);
            try
            {
                using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
                var body = await reader.ReadToEndAsync(context.RequestAborted);
                context.Items["body"] = body;
                replica.Asked.Enqueue((context.Request.Path, body,
                    context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
                await replica.Answering(context);
            }
            finally
            {
                Interlocked.Decrement(ref replica.Running);
            }
        });
        await app.StartAsync();
        return replica;
    }

    public static Task Chat(HttpContext context, string text, int input, int output)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync($$"""
            {"id":"c1","object":"chat.completion","model":"up","choices":[{"index":0,"message":{"role":"assistant","content":"{{text}}"},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":{{input}},"completion_tokens":{{output}},"total_tokens":{{input + output}} } }
            """);
    }

    /// <summary>Streams events; each waits for the one before to be released.</summary>
    public static async Task Stream(HttpContext context, IEnumerable<(string Data, Task After)> events)
    {
        context.Response.ContentType = "text/event-stream";
        foreach (var (data, after) in events)
        {
            await after.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync($"data: {data}\n\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    public static string Chunk(string text) => $$"""{"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"{{text}}"} }]}""";

    public static string UsageChunk(int input, int output) =>
        $$"""{"id":"c1","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":{{input}},"completion_tokens":{{output}},"total_tokens":{{input + output}} } }""";

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
