using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;

namespace Cairn.Server.Hosting;

/// <summary>
/// What every process of Cairn that listens tells Prometheus: its own instruments, and those of what listens. Nobody needs a key to read
/// them.
/// </summary>
internal static class PrometheusMetrics
{
    public static void AddPrometheusMetrics(this IServiceCollection services) => services.AddOpenTelemetry().WithMetrics(
        metrics => metrics.AddMeter("Cairn.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel").AddPrometheusExporter());

    public static void MapPrometheusMetrics(this IEndpointRouteBuilder routes) => routes.MapPrometheusScrapingEndpoint("/metrics");
}
