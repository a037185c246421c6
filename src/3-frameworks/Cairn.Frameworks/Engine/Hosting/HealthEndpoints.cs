using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Frameworks.Engine.Hosting;

/// <summary><c>/health</c> means a real inference; <c>/v2/health/live</c> that the process answers; <c>/v2/health/ready</c> that its models
/// are loaded.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder app, HealthProbe probe, EngineReadiness readiness)
    {
        app.MapGet("/health", async context =>
        {
            var phase = readiness.Phase;
            var why = phase == EnginePhase.Ready ? await probe.CheckAsync(context.RequestAborted) : null;
            var status = phase != EnginePhase.Ready ? Word(phase) : why is null ? "ok" : "failing";
            await AnswerAsync(context, phase == EnginePhase.Ready && why is null, json =>
            {
                json.WriteString("status"u8, status);
                if (why is not null)
                    json.WriteString("reason"u8, why);
            });
        });
        app.MapGet("/v2/health/live", context => AnswerAsync(context, true, json => json.WriteBoolean("live"u8, true)));
        app.MapGet("/v2/health/ready", context =>
        {
            var ready = readiness.Phase == EnginePhase.Ready;
            return AnswerAsync(context, ready, json =>
            {
                json.WriteBoolean("ready"u8, ready);
                json.WriteString("status"u8, Word(readiness.Phase));
            });
        });
    }

    private static string Word(EnginePhase phase) => phase switch
    {
        EnginePhase.Loading => "loading",
        EnginePhase.Ready => "ready",
        EnginePhase.Failed => "failed",
        _ => "draining",
    };

    private static async Task AnswerAsync(HttpContext context, bool well, Action<Utf8JsonWriter> write)
    {
        context.Response.StatusCode = well ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json";
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
