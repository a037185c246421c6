using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cairn.EndToEnd.Tests;

/// <summary>An OpenAI-compatible server on loopback: every answer has 7 tokens in and 1 out.</summary>
internal sealed class OutsideProvider : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OutsideProvider(WebApplication app) => _app = app;

    public string BaseUrl => _app.Urls.First() + "/v1";

    public ConcurrentQueue<string> Keys { get; } = new();

    /// <param name="before">Is told what the last message says, and may hold the answer back.</param>
    public static async Task<OutsideProvider> StartAsync(Func<HttpContext, string, Task>? before = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var provider = new OutsideProvider(app);
        app.MapPost("/v1/chat/completions", async context =>
        {
            if (before is not null)
            {
                var body = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
                await before(context, (string)body!["messages"]!.AsArray()[^1]!["content"]!);
            }
            provider.Keys.Enqueue(context.Request.Headers.Authorization.ToString());
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("""
                {"id":"c1","object":"chat.completion","model":"up","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],
                "usage":{"prompt_tokens":7,"completion_tokens":1,"total_tokens":8}}
                """);
        });
        await app.StartAsync();
        return provider;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
