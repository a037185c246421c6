using System.Net;
using Cairn.Frameworks.Engine.Hosting;

namespace Cairn.Frameworks.Tests.OpenAi;

/// <summary>Real hosts on free ports of loopback.</summary>
internal static class EngineHosts
{
    public static Task<EngineHost> StartAsync(params IList<ModelSource> models) =>
        EngineHost.StartAsync(
            new EngineHostOptions { Http = new IPEndPoint(IPAddress.Loopback, 0), Grpc = new IPEndPoint(IPAddress.Loopback, 0),
                Models = models },
            TimeProvider.System, logging => { }, TestContext.Current.CancellationToken);
}

/// <summary>A folder that goes with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("cairn-face-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

internal static class Wait
{
    public static async Task UntilAsync(Func<bool> holds)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!holds())
            await Task.Delay(TimeSpan.FromMilliseconds(5), late.Token);
    }
}
