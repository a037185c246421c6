using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cairn.Bench.Servers;

/// <summary>A web application on a free port of loopback that logs nothing.</summary>
internal static class LoopbackHost
{
    public static WebApplication Build(
        Action<WebApplication> map, Action<IServiceCollection>? services = null, Action<IWebHostBuilder>? web = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        services?.Invoke(builder.Services);
        web?.Invoke(builder.WebHost);
        var app = builder.Build();
        map(app);
        return app;
    }

    /// <summary>Where it listens, once it was started.</summary>
    public static string AddressOf(WebApplication app) =>
        app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
}
