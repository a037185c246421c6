using Microsoft.Extensions.Hosting;

namespace Cairn.State.Tests;

/// <summary>A host that notes that it is to stop.</summary>
internal sealed class StoppableHost : IHostApplicationLifetime
{
    public bool IsStopping { get; private set; }

    public CancellationToken ApplicationStarted => default;

    public CancellationToken ApplicationStopping => default;

    public CancellationToken ApplicationStopped => default;

    public void StopApplication() => IsStopping = true;
}
