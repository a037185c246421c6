using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cairn.Frameworks.Engine.Metrics;

internal static class MetricsEndpoint
{
    /// <param name="writers">Each writes its metrics, in this order.</param>
    public static void MapMetrics(this IEndpointRouteBuilder app, IReadOnlyList<Action<PrometheusText>> writers) =>
        app.MapGet("/metrics", context =>
        {
            var text = new PrometheusText();
            foreach (var write in writers)
                write(text);
            context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            return context.Response.WriteAsync(text.ToString(), context.RequestAborted);
        });
}
