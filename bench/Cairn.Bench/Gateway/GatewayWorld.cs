using System.Diagnostics;
using System.Globalization;

namespace Cairn.Bench.Gateway;

/// <summary>A mock upstream, the gateway, YARP alone and nginx, over real sockets and in processes of their own on the same cores.</summary>
internal sealed class GatewayWorld : IDisposable
{
    private readonly List<Answering> _all = [];

    public Answering Upstream { get; private set; } = null!;

    public Answering Gateway { get; private set; } = null!;

    public Answering Yarp { get; private set; } = null!;

    /// <summary>Null where nginx is not installed.</summary>
    public Answering? Nginx { get; private set; }

    public static GatewayWorld Start(int keys = 1, int models = 1, int replicas = 1)
    {
        var world = new GatewayWorld();
        try
        {
            world.Upstream = world.Part("upstream");
            var upstream = world.Upstream.Address;
            world.Gateway = world.Part("gateway", upstream.AbsoluteUri, Text(keys), Text(models), Text(replicas));
            world.Yarp = world.Part("yarp", upstream.AbsoluteUri);
            world.Nginx = NginxProcess.Start(upstream);
            if (world.Nginx is { } nginx)
                world._all.Add(nginx);
            return world;
        }
        catch
        {
            world.Dispose();
            throw;
        }
    }

    /// <summary>Lets every part meet its load, so that its code is compiled.</summary>
    public void Warm()
    {
        foreach (var part in _all)
            _ = OpenLoop.Saturate(part.Address, 16, TimeSpan.FromSeconds(2));
    }

    public void Dispose()
    {
        foreach (var part in _all)
            part.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private Answering Part(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["gateway-part", .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        // As the published program runs; see its project file.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_ThreadPool_UnfairSemaphoreSpinLimit"] = "0";
        var process = Process.Start(start)!;
        var line = process.StandardOutput.ReadLine();
        if (!Uri.TryCreate(line, UriKind.Absolute, out var address))
            throw new InvalidOperationException($"The part '{arguments[0]}' said '{line}' instead of its address.");
        var part = new Answering(process, address);
        _all.Add(part);
        return part;
    }
}
