using System.Net;
using Cairn.Contracts.Identity;
using Cairn.Serving.Gateways;

namespace Cairn.Serving.Alone;

/// <summary>How a gateway that runs alone finds its server and what it keeps.</summary>
public sealed class AloneOptions
{
    /// <summary>The server's REST address; <c>https</c> beyond loopback, because keys' hashes and providers' credentials travel on it.</summary>
    public required Uri Server { get; init; }

    /// <summary>A key of the role <c>gateway</c>.</summary>
    public required string Key { get; init; }

    /// <summary>For people: 1 to 63 letters, digits, '-', '.' and '_'. Gateways are told apart by an id of their own, not by this.</summary>
    public required string Name { get; init; }

    /// <summary>The folder of its id, the last snapshot and usage that the server does not have yet. One gateway per folder; mode 0700, files 0600.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Whether replicas are dialled at the address that their node gives, also where the server uses the node's tunnel. Default false.</summary>
    public bool DirectReplicas { get; init; }

    /// <summary>Changes how the server is dialled, and which certificates it may show; null leaves both to the machine.</summary>
    public Action<SocketsHttpHandler>? ToServer { get; init; }

    /// <summary>Every mistake at once, in words; empty when all is well.</summary>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        if (!Server.IsAbsoluteUri || (Server.Scheme != Uri.UriSchemeHttps && Server.Scheme != Uri.UriSchemeHttp))
            errors.Add($"The server is '{Server}'; expected http://HOST:PORT or https://HOST:PORT.");
        else if (Server.Scheme == Uri.UriSchemeHttp && !Server.IsLoopback)
            errors.Add($"The server is '{Server}', without TLS beyond loopback: the providers' credentials would travel in the clear; expected https.");
        if (!ApiKey.TryParse(Key, out _))
            errors.Add("The key is not a key; expected 'ck_…' from `cairn keys create NAME --role gateway`.");
        if (ReportChecks.ProblemOfName(Name) is { } name)
            errors.Add(name);
        if (string.IsNullOrWhiteSpace(DataFolder))
            errors.Add("The data folder is empty; name one with --data.");
        return errors;
    }

    /// <summary>For what is asked of the server: nothing on the way or in the answer is dealt with here.</summary>
    internal SocketsHttpHandler NewHandler()
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(5), UseProxy = false, UseCookies = false, AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None,
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        };
        ToServer?.Invoke(handler);
        return handler;
    }
}
