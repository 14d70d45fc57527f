// Command simd is a Cosmos SDK chain for the tests of a relay: the application that ibc-go tests itself with (IBC v1
// and v2, transfers, the Tendermint, solo machine and attestation light clients), run as an ordinary node.
//
// The SDK brings init, keys, genesis and start. Of our own there is one command: submit signs whatever messages it
// reads, since IBC v2 has messages for which no module offers a command line.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	cometconfig "github.com/cometbft/cometbft/config"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/spf13/cobra"

	"cosmossdk.io/log/v2"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/cosmos/cosmos-sdk/client/keys"
	"github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/server"
	servercmd "github.com/cosmos/cosmos-sdk/server/cmd"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	simtestutil "github.com/cosmos/cosmos-sdk/testutil/sims"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	genutilcli "github.com/cosmos/cosmos-sdk/x/genutil/client/cli"

	"github.com/cosmos/ibc-go/v11/testing/simapp"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "simd:", err)
		os.Exit(1)
	}
}

func run() error {
	codecs, err := blueprint()
	if err != nil {
		return err
	}
	home := simapp.DefaultNodeHome
	ctx := client.Context{}.
		WithCodec(codecs.AppCodec()).
		WithInterfaceRegistry(codecs.InterfaceRegistry()).
		WithLegacyAmino(codecs.LegacyAmino()).
		WithTxConfig(codecs.TxConfig()).
		WithAccountRetriever(authtypes.AccountRetriever{}).
		WithInput(os.Stdin).
		WithHomeDir(home).
		WithViper("")

	root := &cobra.Command{
		Use:           "simd",
		Short:         "ibc-go's test application as a node",
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			mine, err := client.ReadPersistentCommandFlags(ctx.WithCmdContext(cmd.Context()), cmd.Flags())
			if err != nil {
				return err
			}
			if err := client.SetCmdClientContextHandler(mine, cmd); err != nil {
				return err
			}
			app := serverconfig.DefaultConfig()
			app.MinGasPrices = "0stake"
			return server.InterceptConfigsPreRunHandler(cmd, serverconfig.DefaultConfigTemplate, app, cometconfig.DefaultConfig())
		},
	}
	root.AddCommand(
		genutilcli.InitCmd(codecs.BasicModuleManager, home),
		genutilcli.Commands(codecs.TxConfig(), codecs.BasicModuleManager, home),
		keys.Commands(),
		submit(),
	)
	server.AddCommands(root, home, node, export, func(*cobra.Command) {})
	return servercmd.Execute(root, "", home)
}

// blueprint makes an application without a chain: its codecs and its module list are what the commands need.
func blueprint() (*simapp.SimApp, error) {
	scratch, err := os.MkdirTemp("", "simd-codecs-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	return simapp.NewSimApp(log.NewNopLogger(), dbm.NewMemDB(), io.Discard, true, simtestutil.NewAppOptionsWithFlagHome(scratch)), nil
}

func node(logger log.Logger, db dbm.DB, options servertypes.AppOptions) servertypes.Application {
	return simapp.NewSimApp(logger, db, io.Discard, true, options, server.DefaultBaseappOptions(options)...)
}

func export(log.Logger, dbm.DB, int64, bool, []string, servertypes.AppOptions, []string) (servertypes.ExportedApp, error) {
	return servertypes.ExportedApp{}, errors.New("this node is for tests and exports no state")
}

// submit reads a JSON array of messages (each with its "@type") from standard input, signs them as one transaction of
// the account named by --from, and prints what the node's mempool answered.
func submit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "submit",
		Short: "Sign the messages on standard input as one transaction and broadcast it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, err := client.GetClientTxContext(cmd)
			if err != nil {
				return err
			}
			var raw []json.RawMessage
			if err := json.NewDecoder(cmd.InOrStdin()).Decode(&raw); err != nil {
				return fmt.Errorf("standard input is not a JSON array of messages: %w", err)
			}
			messages := make([]sdk.Msg, len(raw))
			for i := range raw {
				if err := ctx.Codec.UnmarshalInterfaceJSON(raw[i], &messages[i]); err != nil {
					return fmt.Errorf("message %d: %w", i, err)
				}
			}
			return tx.GenerateOrBroadcastTxCLI(ctx, cmd.Flags(), messages...)
		},
	}
	flags.AddTxFlagsToCmd(cmd)
	return cmd
}
