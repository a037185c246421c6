using Cairn.Frameworks.Engine.Metrics;
using Cairn.Frameworks.Engine.OpenAi;
using Cairn.Frameworks.Engine.OpenInference;
using Cairn.Frameworks.Engine.Tensors;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Frameworks.Engine.Hosting;

/// <summary>A running engine: models in this process, and their faces on loopback.</summary>
public sealed partial class EngineHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly EngineReadiness _readiness;
    private readonly CancellationTokenSource _stopping = new();

    private EngineHost(WebApplication app, LoadedModels models, EngineReadiness readiness)
    {
        _app = app;
        _readiness = readiness;
        Models = models;
        var addresses = app.Urls.ToList();
        Repository = app.Services.GetRequiredService<ModelRepository>();
        HttpAddress = addresses[0];
        GrpcAddress = addresses.Count > 1 ? addresses[1] : null;
    }

    /// <summary>Such as <c>http://127.0.0.1:8000</c>.</summary>
    public string HttpAddress { get; }

    /// <summary>Such as <c>http://127.0.0.1:8001</c>, HTTP/2 without TLS; null where gRPC is off.</summary>
    public string? GrpcAddress { get; }

    public LoadedModels Models { get; }

    /// <summary>The models of the Open Inference Protocol.</summary>
    public ModelRepository Repository { get; }

    /// <summary>Ends when the models of the options are loaded. Faults with <see cref="ModelLoadException"/> where one cannot be.</summary>
    public Task Ready { get; private set; } = Task.CompletedTask;

    /// <summary>
    /// Listens at once and loads meanwhile, so that health can be asked from the first moment; <see cref="Ready"/> tells when requests are
    /// answered.
    /// </summary>
    /// <exception cref="ArgumentException">The options are wrong; the message names every mistake.</exception>
    /// <exception cref="IOException">An address is taken.</exception>
    public static async Task<EngineHost> StartAsync(
        EngineHostOptions options, TimeProvider time, Action<ILoggingBuilder> logging, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        if (options.Validate() is { Count: > 0 } errors)
            throw new ArgumentException(string.Join(" ", errors), nameof(options));
        HeapTrim.MapLargeBlocks();
        var models = new LoadedModels();
        var readiness = new EngineReadiness();

        // The weights are read while the listener is made; both take about as long.
        using var abandoned = new CancellationTokenSource();
        var loads = options.Models.Select(source => ModelLoading.LoadAsync(source, time, abandoned.Token)).ToList();
        var app = Build(options, new Parts(models, readiness, time), logging);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch
        {
            await abandoned.CancelAsync();
            await app.DisposeAsync();
            await DiscardAsync(loads);
            throw;
        }

        var host = new EngineHost(app, models, readiness);
        host.Ready = host.TakeInAsync(options.Models, loads);
        return host;
    }

    /// <summary>Waits until somebody asks it to stop, or its listener dies.</summary>
    /// <returns>True where it was asked.</returns>
    public async Task<bool> UntilStoppedAsync(CancellationToken cancellationToken)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var asked = cancellationToken.Register(() => stopped.TrySetResult());
        await using var died = _app.Lifetime.ApplicationStopping.Register(() => stopped.TrySetResult());
        await stopped.Task;
        return cancellationToken.IsCancellationRequested;
    }

    /// <summary>Takes no new connection, lets requests under way end for at most the drain time, then cancels them and gives the models
    /// back.</summary>
    public async ValueTask DisposeAsync()
    {
        _readiness.Set(EnginePhase.Draining);
        await _stopping.CancelAsync();
        await _app.StopAsync();
        await _app.DisposeAsync();
        try
        {
            await Ready;
        }
        catch (Exception exception) when (exception is ModelLoadException or OperationCanceledException)
        {
            // Whoever waits for readiness is told.
        }

        await Models.DisposeAsync();
        _stopping.Dispose();
    }

    private static WebApplication Build(EngineHostOptions options, Parts parts, Action<ILoggingBuilder> logging)
    {
        // Nothing but a listener and routes: each further default costs time at every start.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        logging(builder.Logging);

        // A listener that cannot start throws what this would log with its stack.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        builder.Services.AddSingleton<IHostLifetime, NoSignals>();
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(options.DrainSeconds));
        builder.WebHost.UseKestrelCore();

        // Whoever writes a piece of an answer sends it as well, instead of waking another thread for it.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Services.AddOpenInference(options.Tensors, new(parts.Models, parts.Readiness, parts.Time), options.Grpc is not null);
        var app = builder.Build();
        app.UseMiddleware<RequestMarks>(parts.Time);
        app.MapHealth(new HealthProbe(parts.Models, parts.Time, TimeSpan.FromSeconds(options.HealthTimeoutSeconds)), parts.Readiness);
        var repository = app.Services.GetRequiredService<ModelRepository>();
        app.MapMetrics([text => LanguageModelMetrics.Write(text, parts.Models), text => TensorMetrics.Write(text, repository)]);
        app.MapOpenAi(parts.Models, parts.Readiness, parts.Time);
        app.MapOpenInference(repository, parts.Models, parts.Readiness);
        if (options.Grpc is not null)
            app.MapGrpcService<GrpcInference>();
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, EngineHostOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        kestrel.Listen(options.Http, listen => listen.Protocols = HttpProtocols.Http1);
        if (options.Grpc is not null)
            kestrel.Listen(options.Grpc, listen => listen.Protocols = HttpProtocols.Http2);
    }

    private async Task TakeInAsync(IList<ModelSource> sources, List<Task<ServedModel>> loads)
    {
        var logger = _app.Services.GetRequiredService<ILogger<EngineHost>>();
        var failures = new List<string>();
        foreach (var (source, load) in sources.Zip(loads))
        {
            try
            {
                if (!Models.TryAdd(await load))
                    await (await load).DisposeAsync();
                LogLoaded(logger, source.Name, source.Folder);
            }
            catch (Exception exception)
            {
                failures.Add($"Model {source.Name} could not be loaded: {exception.Message}");
            }
        }

        await Repository.LoadStartAsync(_stopping.Token);
        _readiness.Set(failures.Count == 0 ? EnginePhase.Ready : EnginePhase.Failed);
        if (failures.Count > 0)
            throw new ModelLoadException(string.Join(" ", failures));
    }

    private static async Task DiscardAsync(IEnumerable<Task<ServedModel>> loads)
    {
        foreach (var load in loads)
        {
            await Task.WhenAny(load);
            if (load.IsCompletedSuccessfully)
                await (await load).DisposeAsync();
        }
    }

    /// <summary>What the faces share.</summary>
    private sealed record Parts(LoadedModels Models, EngineReadiness Readiness, TimeProvider Time);
}
