using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cairn.Cli.CommandLine;

namespace Cairn.Cli.Connection;

/// <summary>
/// How a server is dialled and known. The name in its URL is what its certificate must be for, wherever it is dialled. The file of the
/// context adds to what the machine trusts and takes nothing away: a certificate that is over, or for another name, is refused though it
/// be in the file.
/// </summary>
internal static class ServerTrust
{
    private const X509ChainStatusFlags Untrusted = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain;

    /// <exception cref="CliException">The context says something that cannot be used.</exception>
    public static SocketsHttpHandler NewHandler(ServerContext server)
    {
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(10), UseProxy = false };
        Apply(server, handler);
        return handler;
    }

    /// <inheritdoc cref="NewHandler"/>
    public static void Apply(ServerContext server, SocketsHttpHandler handler)
    {
        if (server.Dial is { } dial)
        {
            var there = IPEndPoint.TryParse(dial, out var parsed) ? parsed
                : throw new CliException(ExitCodes.Usage, $"{ServerContext.FilePath(ServerContext.Home)}: dial is '{dial}'; expected address:port, such as 127.0.0.1:7070.");
            var name = new Uri(server.Server);
            handler.ConnectCallback = (connection, cancellationToken) => ConnectAsync(
                connection.DnsEndPoint.Host == name.IdnHost && connection.DnsEndPoint.Port == name.Port ? there : connection.DnsEndPoint, cancellationToken);
        }
        if (server.Certificate is { } file)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, leaf, chain, errors) => IsTrusted(file, leaf as X509Certificate2, chain, errors);
    }

    /// <exception cref="CliException">The file holds no certificate.</exception>
    public static void Check(string file)
    {
        try
        {
            if (Read(file).Count == 0)
                throw new CliException(ExitCodes.Usage, $"{file} holds no certificate; expected PEM.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CliException(ExitCodes.Usage, $"{file} cannot be read: {exception.Message}");
        }
    }

    /// <summary>
    /// What the machine trusts; else what differs in nothing but that nobody here knows its authority, and is in the file or signed by
    /// what is.
    /// </summary>
    internal static bool IsTrusted(string file, X509Certificate2? leaf, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || leaf is null || chain is null || chain.ChainStatus.Any(status => (status.Status & ~Untrusted) != 0))
            return false;
        X509Certificate2Collection known;
        try
        {
            known = Read(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            // A server that has just begun with ACME has none yet. Nothing more is trusted then.
            return false;
        }
        if (known.Any(one => one.RawDataMemory.Span.SequenceEqual(leaf.RawDataMemory.Span)))
            return true;
        using var own = new X509Chain();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        own.ChainPolicy.DisableCertificateDownloads = true;
        own.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1")); // for servers
        own.ChainPolicy.CustomTrustStore.AddRange(known);
        own.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
        return own.Build(leaf);
    }

    private static X509Certificate2Collection Read(string file)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPemFile(file);
        return all;
    }

    private static async ValueTask<Stream> ConnectAsync(EndPoint there, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(there, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
