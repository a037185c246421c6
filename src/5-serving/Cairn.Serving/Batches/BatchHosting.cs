using Cairn.Serving.Files;
using Cairn.Serving.Gateway.Calls;
using Cairn.State;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cairn.Serving.Batches;

/// <summary>Puts files and batches into a host.</summary>
internal static class BatchHosting
{
    private const string Sweep = "batch-sweep";

    /// <summary>Adds files, and batches that read and write them. Options that the host has not added are the usual ones.</summary>
    public static IServiceCollection AddFilesAndBatches(this IServiceCollection services)
    {
        services.TryAddSingleton(new FilesOptions());
        services.TryAddSingleton(new BatchOptions());
        services.AddSingleton<FileShelf>().AddSingleton<FileEndpoints>();
        services.AddSingleton<InnerCalls>().AddSingleton<BatchPacer>().AddSingleton<BatchLines>().AddSingleton<BatchFiles>().AddSingleton<BatchSteps>();
        services.AddSingleton<BatchReconciler>().AddSingleton<BatchEndpoints>();
        services.AddReconciler(provider =>
        {
            Require(provider.GetRequiredService<FilesOptions>().Validate());
            var shelf = provider.GetRequiredService<FileShelf>();
            return new Reconciler(FileRows.Signal, (_, token) => shelf.SweepAsync(token)) { Interval = TimeSpan.FromMinutes(1), OnlyLeader = true };
        });
        services.AddReconciler(provider =>
        {
            Require(provider.GetRequiredService<BatchOptions>().Validate());
            return new Reconciler(BatchRows.Signal, provider.GetRequiredService<BatchReconciler>().ReconcileAsync) { OnlyLeader = true };
        });
        return services.AddReconciler(provider =>
        {
            var reconciler = provider.GetRequiredService<BatchReconciler>();
            return new Reconciler(Sweep, (_, token) => reconciler.SweepAsync(token)) { Interval = TimeSpan.FromMinutes(1), OnlyLeader = true };
        });
    }

    public static void MapFilesAndBatches(this IEndpointRouteBuilder routes)
    {
        routes.ServiceProvider.GetRequiredService<FileEndpoints>().Map(routes);
        routes.ServiceProvider.GetRequiredService<BatchEndpoints>().Map(routes);
    }

    private static void Require(IReadOnlyList<string> errors)
    {
        if (errors.Count > 0)
            throw new ArgumentException(string.Join(" ", errors));
    }
}
